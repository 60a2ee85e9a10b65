#include "linux/socket/watch_set.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace vigil::os {

Result<WatchSet> WatchSet::create() {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return Failure{errno_error("making an epoll instance")};
    return WatchSet(std::move(epoll));
}

Result<void> WatchSet::add(int fd, WatchTag tag, std::uint32_t events) {
    if (fd < 0) return Failure{Error{"watching a descriptor", EBADF}};
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        return Failure{errno_error("watching a descriptor")};
    const auto place = static_cast<std::size_t>(fd);
    if (place >= by_fd_.size()) by_fd_.resize(place + 1);
    by_fd_[place] = Entry{tag, true};
    ++count_;
    return {};
}

Result<void> WatchSet::change(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0)
        return Failure{errno_error("changing what is watched for")};
    return {};
}

void WatchSet::remove(int fd) noexcept {
    if (fd < 0 || static_cast<std::size_t>(fd) >= by_fd_.size()) return;
    Entry& entry = by_fd_[static_cast<std::size_t>(fd)];
    if (!entry.watched) return;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    entry.watched = false;
    --count_;
}

std::size_t WatchSet::wait(std::span<Ready> out) {
    std::array<epoll_event, kMostReady> events;
    const auto room = static_cast<int>(std::min(out.size(), kMostReady));
    if (room == 0) return 0;
    const int count = ::epoll_wait(epoll_.get(), events.data(), room, 0);
    std::size_t given = 0;
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const Entry& entry = by_fd_[static_cast<std::size_t>(event.data.fd)];
        if (entry.watched) out[given++] = Ready{entry.tag, event.events};
    }
    return given;
}

}  // namespace vigil::os
