#include "linux/socket/descriptor_passing.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/check.hpp"

namespace vigil::os {
namespace {

/// Room for one SCM_RIGHTS message.
struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostPassed * sizeof(int))> bytes{};
};

/// Takes what the kernel has put into our table.
void take_descriptors(msghdr& message, ReceivedPacket& packet) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count && packet.descriptor_count < kMostPassed; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            packet.descriptors[packet.descriptor_count++].reset(fd);
        }
    }
}

}  // namespace

Result<void, int> send_packet(int socket, std::string_view bytes, std::span<const int> descriptors) {
    VIGIL_CHECK(descriptors.size() <= kMostPassed, "more descriptors than a packet takes");
    iovec data{const_cast<char*>(bytes.data()), bytes.size()};
    Control control;
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control.bytes.data();
        message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* const rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
    }
    ssize_t sent = -1;
    do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return Failure{errno};
    return {};
}

Result<ReceivedPacket, int> receive_packet(int socket, std::span<char> room) {
    iovec data{room.data(), room.size()};
    Control control;
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    ssize_t got = -1;
    do got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0) return Failure{errno};
    ReceivedPacket packet;
    packet.size = static_cast<std::size_t>(got);
    packet.cut = (message.msg_flags & MSG_TRUNC) != 0;
    packet.descriptors_cut = (message.msg_flags & MSG_CTRUNC) != 0;
    take_descriptors(message, packet);
    return packet;
}

}  // namespace vigil::os
