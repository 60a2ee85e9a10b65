#include "client/channel.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "base/error.hpp"

namespace vigil::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceSize = std::size_t{256} << 10;

Fault fault(Fault::Kind kind, std::string message) {
    return {.kind = kind, .message = std::move(message)};
}

/// Milliseconds for poll(2), rounded up so that a deadline is past when poll says so; -1: for ever.
int poll_limit(const Patience& patience) {
    core::Duration left = core::Duration::max();
    if (patience.until != core::kNever)
        left = std::max(core::Duration::zero(), patience.until - Clock::now());
    if (patience.tick) left = std::min<core::Duration>(left, patience.tick_every);
    if (left == core::Duration::max()) return -1;
    constexpr std::int64_t kMost = 3'600'000;
    return static_cast<int>(std::min(kMost, std::chrono::ceil<std::chrono::milliseconds>(left).count()));
}

/// Waits until `fd` (-1: nothing) has one of `events`.
Result<void, Fault> wait_for(int fd, short events, const Patience& patience) {
    while (true) {
        pollfd watched[2] = {{fd, events, 0}, {patience.interrupt_fd, POLLIN, 0}};
        const int count = ::poll(watched, 2, poll_limit(patience));
        if (count < 0 && errno != EINTR)
            return Failure{fault(Fault::Kind::protocol, errno_error("waiting for the daemon").text())};
        if (count > 0 && watched[1].revents != 0)
            return Failure{fault(Fault::Kind::interrupted, "interrupted")};
        if (count > 0 && watched[0].revents != 0) return {};
        if (patience.until != core::kNever && Clock::now() >= patience.until)
            return Failure{fault(Fault::Kind::timeout, "the daemon did not answer in time")};
        if (count == 0 && patience.tick) patience.tick();
    }
}

/// connect(2), which for a Unix socket completes at once or says EAGAIN while the daemon's queue is full. 0
/// or an errno.
int connect_within(int fd, const sockaddr_un& address, core::TimePoint until) {
    constexpr auto kRetry = std::chrono::milliseconds(10);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);  // the sockets API
    while (true) {
        if (::connect(fd, generic, sizeof address) == 0 || errno == EISCONN) return 0;
        if (errno == EINTR) continue;
        if (errno != EAGAIN || Clock::now() >= until) return errno;
        std::this_thread::sleep_for(kRetry);
    }
}

/// A connected socket, or the errno that stands in the way.
Result<UniqueFd, int> connect_to(const std::string& path, core::TimePoint until) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty()) return Failure{ENOENT};
    if (path.size() >= sizeof address.sun_path) return Failure{ENAMETOOLONG};
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return Failure{errno};
    if (const int error = connect_within(fd.get(), address, until); error != 0) return Failure{error};
    return fd;
}

/// The sentence for a failure at every candidate: what was tried, why it failed, what to do.
Fault nowhere(const std::vector<std::string>& sockets, const std::vector<int>& errors) {
    const bool denied =
        std::any_of(errors.begin(), errors.end(), [](int e) { return e == EACCES || e == EPERM; });
    std::string message = denied ? "not allowed to talk to vigild" : "vigild cannot be reached";
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        const std::string_view why =
            errors[i] == ECONNREFUSED ? "no daemon listens there" : errno_text(errors[i]);
        message.append("\n  ").append(sockets[i]).append(": ").append(why);
    }
    if (denied)
        message += "\nask for membership in the group of the socket (daemon.control.group), or use sudo";
    else
        message +=
            "\nis the daemon running (systemctl status vigil)? name another socket with --socket or "
            "VIGIL_SOCKET";
    return fault(denied ? Fault::Kind::denied : Fault::Kind::unreachable, std::move(message));
}

}  // namespace

Result<void, Fault> pause(const Patience& patience) {
    auto waited = wait_for(-1, 0, patience);
    if (!waited && waited.error().kind == Fault::Kind::timeout) return {};
    return waited;
}

Result<Channel, Fault> Channel::open(const std::vector<std::string>& sockets, const Patience& patience) {
    const auto until = std::min(patience.until, core::add_saturating(Clock::now(), kConnectLimit));
    std::vector<int> errors;
    for (const std::string& path : sockets) {
        auto fd = connect_to(path, until);
        if (fd) return Channel(std::move(fd).value(), path);
        errors.push_back(fd.error());
    }
    return Failure{nowhere(sockets, errors)};
}

Result<void, Fault> Channel::send(std::string_view line, const Patience& patience) {
    while (!line.empty()) {
        const ssize_t sent = ::send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            line.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            if (auto waited = wait_for(fd_.get(), POLLOUT, patience); !waited) return waited;
        } else if (errno != EINTR) {
            return Failure{
                fault(Fault::Kind::disconnected, errno_error("sending to vigild at " + socket_).text())};
        }
    }
    return {};
}

Result<std::string_view, Fault> Channel::receive(const Patience& patience) {
    while (true) {
        if (const auto line = lines_.next()) return *line;
        if (lines_.too_long())
            return Failure{
                fault(Fault::Kind::protocol, "vigild at " + socket_ + " sent a line that is too long")};
        if (!piece_) piece_ = std::make_unique_for_overwrite<char[]>(kPieceSize);
        const ssize_t got = ::recv(fd_.get(), piece_.get(), kPieceSize, 0);
        if (got > 0) {
            lines_.feed(std::string_view(piece_.get(), static_cast<std::size_t>(got)));
        } else if (got == 0) {
            return Failure{
                fault(Fault::Kind::disconnected, "vigild at " + socket_ + " closed the connection")};
        } else if (errno == EAGAIN) {
            if (auto waited = wait_for(fd_.get(), POLLIN, patience); !waited)
                return Failure{std::move(waited).error()};
        } else if (errno != EINTR) {
            return Failure{
                fault(Fault::Kind::disconnected, errno_error("receiving from vigild at " + socket_).text())};
        }
    }
}

}  // namespace vigil::client
