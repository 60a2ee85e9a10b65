#include "linux/socket/notify_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "linux/file/random_name.hpp"
#include "linux/socket/socket_address.hpp"

namespace vigil::os {
namespace {

/// The path that a socket is bound to.
struct BoundTo {
    sockaddr_un address{};
    char end = '\0';  // a path that fills its place has no NUL of its own

    /// Whether it is bound to any.
    [[nodiscard]] bool ask(int fd) noexcept {
        socklen_t size = sizeof address;
        return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
               address.sun_family == AF_UNIX && size > offsetof(sockaddr_un, sun_path);
    }
    [[nodiscard]] const char* path() const noexcept { return address.sun_path; }
};

}  // namespace

Result<NotifySocket> NotifySocket::create(const std::string& directory) {
    std::array<std::uint8_t, 16> bits;
    if (auto drawn = draw_random(bits); !drawn) return Failure{drawn.error()};
    return bind_at(directory + "/" + to_hex(bits));
}

Result<NotifySocket> NotifySocket::adopt(UniqueFd held, const std::string& path) {
    if (held) return NotifySocket(std::move(held));
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return Failure{errno_error("removing the notify socket " + path)};
    return bind_at(path);
}

std::string NotifySocket::path_of(int fd) {
    BoundTo bound;
    return bound.ask(fd) ? bound.path() : std::string();
}

Result<NotifySocket> NotifySocket::bind_at(const std::string& path) {
    const auto address = socket_address(path);
    if (!address)
        return Failure{
            Error{"the notify socket path " + path + " is longer than a Unix socket allows (107 bytes)",
                  ENAMETOOLONG}};

    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return Failure{errno_error("making a notify socket")};
    // No SO_RCVBUF: a Unix datagram queue is bounded by net.unix.max_dgram_qlen and the senders' SO_SNDBUF.
    const int on = 1;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
        return Failure{errno_error("asking for credentials on a notify socket")};
    if (::bind(fd.get(), plain(*address), sizeof *address) != 0)
        return Failure{errno_error("binding the notify socket " + path)};
    NotifySocket made(std::move(fd));
    // After bind, since the umask narrows what bind would make. Nobody knows the name yet.
    if (::chmod(path.c_str(), 0666) != 0)
        return Failure{errno_error("opening the notify socket " + path + " to tasks")};
    return made;
}

NotifySocket& NotifySocket::operator=(NotifySocket&& other) noexcept {
    if (this == &other) return *this;
    remove();
    fd_ = std::move(other.fd_);
    return *this;
}

NotifySocket::~NotifySocket() {
    remove();
}

void NotifySocket::remove() noexcept {
    BoundTo bound;
    if (fd_ && bound.ask(fd_.get())) ::unlink(bound.path());
    fd_.reset();
}

bool sender_belongs(pid_t pid, uid_t uid, const RunIdentity& run, core::HeartbeatAccess access) noexcept {
    if (access == core::HeartbeatAccess::all) return true;
    // 0 is a sender without a number in our pid namespace; getpgid(0) would answer for ourselves.
    if (pid <= 0) return false;
    if (pid == run.main_pid) return true;
    if (access == core::HeartbeatAccess::main) return false;
    const pid_t group = ::getpgid(pid);
    if (group < 0) return errno == ESRCH && uid == run.uid;
    return group == run.leader || ::getsid(pid) == run.leader;
}

bool in_session_of(pid_t leader, pid_t pid) noexcept {
    return pid > 0 && (::getpgid(pid) == leader || ::getsid(pid) == leader);
}

PipeRead read_heartbeat_pipe(int fd, std::span<char> bytes) noexcept {
    for (;;) {
        const ssize_t size = ::read(fd, bytes.data(), bytes.size());
        if (size > 0) return {static_cast<std::size_t>(size), false};
        if (size < 0 && errno == EINTR) continue;
        return {0, size == 0 || errno != EAGAIN};
    }
}

}  // namespace vigil::os
