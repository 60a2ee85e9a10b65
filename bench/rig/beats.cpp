#include "rig/beats.hpp"

#include <dirent.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "rig/clock.hpp"
#include "rig/programs.hpp"

namespace vigil::bench {
namespace {

constexpr char kBeat[] = "WATCHDOG=1";

}  // namespace

BeatSender::BeatSender(const std::vector<Beater>& beaters) {
    for (const Beater& beater : beaters) {
        UniqueFd& fd = sockets_.emplace_back(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const UnixAddress address(beater.socket);
        if (!fd || ::connect(fd.get(), address.get(), address.size()) != 0)
            give_up("connect to " + beater.socket);
        pids_.push_back(beater.pid);
    }
}

bool BeatSender::send_to(std::size_t which) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))] = {};
    iovec body{const_cast<char*>(kBeat), sizeof kBeat - 1};
    msghdr message{};
    message.msg_iov = &body;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_CREDENTIALS;
    head->cmsg_len = CMSG_LEN(sizeof(ucred));
    const ucred who{pids_[which], ::geteuid(), ::getegid()};
    std::memcpy(CMSG_DATA(head), &who, sizeof who);
    if (::sendmsg(sockets_[which].get(), &message, MSG_NOSIGNAL) > 0) return true;
    if (errno != EAGAIN) give_up("send a beat in the place of " + std::to_string(pids_[which]));
    return false;
}

Burst BeatSender::send_for(double seconds) {
    const std::int64_t begin = now_ns();
    const std::int64_t end = begin + static_cast<std::int64_t>(seconds * 1e9);
    Burst burst;
    while (now_ns() < end) {
        // So that the clock costs nothing under one task, either.
        std::uint64_t taken = 0;
        for (std::size_t i = 0; i < std::max<std::size_t>(sockets_.size(), 64); ++i)
            taken += send_to(i % sockets_.size());
        burst.sent += taken;
        if (taken == 0) ::sched_yield();
    }
    while (!all_read())
        if (now_ns() > end + 10'000'000'000) give_up("beats are still unread after 10 s");
    burst.seconds = static_cast<double>(now_ns() - begin) / 1e9;
    return burst;
}

bool BeatSender::all_read() const {
    return std::all_of(sockets_.begin(), sockets_.end(), [](const UniqueFd& fd) {
        int unread = 0;
        // What a datagram socket has sent and nobody has read yet.
        return ::ioctl(fd.get(), SIOCOUTQ, &unread) == 0 && unread == 0;
    });
}

void pin(pid_t pid, unsigned processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    each_thread(pid, [&](const std::string& thread) {
        ::sched_setaffinity(std::atoi(thread.c_str() + thread.rfind('/') + 1), sizeof set, &set);
    });
}

}  // namespace vigil::bench
