#include "linux/notify_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "linux/random_name.hpp"

namespace vigil::os {

Result<NotifySocket> NotifySocket::create(const std::string& directory) {
    std::array<std::uint8_t, 16> bits;
    if (auto drawn = draw_random(bits); !drawn) return Failure{drawn.error()};
    const std::string path = directory + "/" + to_hex(bits);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Failure{
            Error{"the notify socket path " + path + " is longer than a Unix socket allows (107 bytes)",
                  ENAMETOOLONG}};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);

    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return Failure{errno_error("making a notify socket")};
    // No SO_RCVBUF: a Unix datagram queue is bounded by net.unix.max_dgram_qlen and the senders' SO_SNDBUF.
    const int on = 1;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
        return Failure{errno_error("asking for credentials on a notify socket")};
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return Failure{errno_error("binding the notify socket " + path)};
    NotifySocket made(std::move(fd), path);
    // After bind, since the umask narrows what bind would make. Nobody knows the name yet.
    if (::chmod(path.c_str(), 0666) != 0)
        return Failure{errno_error("opening the notify socket " + path + " to tasks")};
    return made;
}

NotifySocket& NotifySocket::operator=(NotifySocket&& other) noexcept {
    if (this == &other) return *this;
    remove();
    fd_ = std::move(other.fd_);
    path_ = std::exchange(other.path_, {});
    return *this;
}

NotifySocket::~NotifySocket() {
    remove();
}

void NotifySocket::remove() noexcept {
    if (fd_) ::unlink(path_.c_str());
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

HeartbeatPipe::Count HeartbeatPipe::read(std::size_t max_bytes,
                                         const std::function<void(std::string_view)>& handle) {
    Count count;
    std::array<char, 4096> buffer;
    for (std::size_t total = 0; fd_ && total < max_bytes;) {
        const ssize_t size = ::read(fd_.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return count;
        if (size <= 0) {
            if (!partial_.empty()) take("\n", count, handle);
            count.ended = true;
            return count;
        }
        take(std::string_view(buffer.data(), static_cast<std::size_t>(size)), count, handle);
        total += static_cast<std::size_t>(size);
    }
    count.more = static_cast<bool>(fd_);
    return count;
}

void HeartbeatPipe::take(std::string_view bytes, Count& count,
                         const std::function<void(std::string_view)>& handle) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, end);
        if (!skipping_ && partial_.size() + piece.size() > kMaxNotifyMessage) {
            skipping_ = true;
            ++count.dropped;
            partial_ = {};
        }
        if (end == std::string_view::npos) {
            if (!skipping_) partial_.append(piece);
            return;
        }
        bytes.remove_prefix(end + 1);
        if (std::exchange(skipping_, false)) continue;
        ++count.lines;
        if (partial_.empty()) {
            handle(piece);
            continue;
        }
        partial_.append(piece);
        // Freed afterwards: a task that writes whole lines holds no buffer.
        const std::string line = std::exchange(partial_, {});
        handle(line);
    }
}

}  // namespace vigil::os
