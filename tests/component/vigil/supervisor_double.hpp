// What the tests of libvigil stand on: the receiving side of a supervisor, and the environment of a worker.
#pragma once

#include <dirent.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vigil.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace vigil_test {

inline std::set<int> open_descriptors() {
    std::set<int> found;
    DIR* directory = opendir("/proc/self/fd");
    REQUIRE(directory != nullptr);
    while (const dirent* entry = readdir(directory)) {
        const int fd = std::atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(directory)) found.insert(fd);
    }
    closedir(directory);
    return found;
}

// A worker's surroundings: no supervisor announced, an empty directory for sockets. At the end of the case
// no child, no descriptor and no file may be left.
class Surroundings {
  public:
    Surroundings() {
        for (const char* name : {"NOTIFY_SOCKET", "VIGIL_HEARTBEAT_FD", "VIGIL_HEARTBEAT_INTERVAL_USEC",
                                 "WATCHDOG_USEC", "WATCHDOG_PID"})
            unsetenv(name);
        std::string pattern = std::filesystem::temp_directory_path() / "libvigil-XXXXXX";
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        directory_ = pattern;
    }
    Surroundings(const Surroundings&) = delete;
    Surroundings& operator=(const Surroundings&) = delete;
    ~Surroundings() {
        CHECK(open_descriptors() == descriptors_);
        CHECK(std::filesystem::is_empty(directory_));
        CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
        std::filesystem::remove_all(directory_);
    }

    std::string path(const std::string& name) const { return directory_ / name; }

  private:
    std::set<int> descriptors_ = open_descriptors();
    std::filesystem::path directory_;
};

struct Message {
    std::string text;
    pid_t sender;
};

// A bound notify socket. The name may start with '@' for the abstract namespace.
class Listener {
  public:
    explicit Listener(std::string name) : name_(std::move(name)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(name_.size() < sizeof address.sun_path);
        std::memcpy(address.sun_path, name_.data(), name_.size());
        if (is_abstract()) address.sun_path[0] = '\0';
        const auto length = offsetof(sockaddr_un, sun_path) + name_.size() + (is_abstract() ? 0 : 1);
        fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const int yes = 1;
        REQUIRE(setsockopt(fd_, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0);
        REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)) == 0);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() {
        close(fd_);
        unlink_name();
    }

    const char* name() const { return name_.c_str(); }

    void unlink_name() {
        if (!is_abstract() && !unlinked_) unlink(name_.c_str());
        unlinked_ = true;
    }

    // The next message, waited for up to `limit`.
    std::optional<Message> next(std::chrono::milliseconds limit = std::chrono::milliseconds(0)) {
        pollfd readable{fd_, POLLIN, 0};
        if (poll(&readable, 1, static_cast<int>(limit.count())) != 1) return std::nullopt;
        std::array<char, 8192> text;
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
        iovec part{text.data(), text.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const ssize_t size = recvmsg(fd_, &header, 0);
        REQUIRE(size >= 0);
        const cmsghdr* credentials = CMSG_FIRSTHDR(&header);
        REQUIRE(credentials != nullptr);
        ucred sender;
        // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): required above
        std::memcpy(&sender, CMSG_DATA(credentials), sizeof sender);
        return Message{std::string(text.data(), static_cast<std::size_t>(size)), sender.pid};
    }

    std::string next_text() {
        const auto message = next();
        return message ? message->text : "(nothing)";
    }

    std::size_t drain() {
        std::size_t count = 0;
        while (next()) ++count;
        return count;
    }

  private:
    bool is_abstract() const { return name_.front() == '@'; }

    std::string name_;
    int fd_ = -1;
    bool unlinked_ = false;
};

struct Closer {
    void operator()(vigil_handle* handle) const { vigil_close(handle); }
};
using Handle = std::unique_ptr<vigil_handle, Closer>;

inline Handle open_handle() {
    vigil_handle* handle = nullptr;
    REQUIRE(vigil_open(&handle) == 0);
    REQUIRE(handle != nullptr);
    return Handle(handle);
}

inline Handle open_handle(const Listener& listener) {
    setenv("NOTIFY_SOCKET", listener.name(), 1);
    return open_handle();
}

// Beats until the supervisor takes no more; the number it took.
inline int fill_with_beats(vigil_handle* handle) {
    int taken = 0;
    int result = 0;
    while (taken < 1'000'000 && (result = vigil_beat(handle)) == 0) ++taken;
    REQUIRE(result == -EAGAIN);
    return taken;
}

// Runs `body` in a forked child and gives what it returned as the child's exit code.
template <class Body>
int in_child(Body body) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) _exit(body());
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace vigil_test
