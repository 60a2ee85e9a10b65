#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "linux/socket/notify_socket.hpp"

namespace vigil::os {
namespace {

/// Datagrams a system call. Each may carry 253 descriptors (SCM_MAX_FD), all open until it was handled, so
/// more would let one sender use up the daemon's table.
constexpr std::size_t kBatch = 16;
constexpr std::size_t kMostDescriptors = 253;
/// Descriptors, credentials and room for what a later kernel or a security module adds (SCM_PIDFD,
/// SCM_SECURITY): control data that does not fit is cut off, and the message with it.
constexpr std::size_t kControlSize = CMSG_SPACE(kMostDescriptors * sizeof(int)) + CMSG_SPACE(sizeof(ucred)) +
                                     CMSG_SPACE(sizeof(int)) + CMSG_SPACE(256);

}  // namespace

struct NotifyReceiver::Buffers {
    struct alignas(cmsghdr) Control {
        std::array<std::byte, kControlSize> bytes;
    };
    std::array<std::array<char, kMaxNotifyMessage>, kBatch> text;
    std::array<Control, kBatch> control;
    std::array<iovec, kBatch> parts;
    std::array<mmsghdr, kBatch> headers;

    Buffers() noexcept { prepare(kBatch); }

    /// The first `count`: those that the kernel wrote to.
    void prepare(std::size_t count) noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            parts[i] = iovec{text[i].data(), text[i].size()};
            headers[i] = mmsghdr{};
            msghdr& header = headers[i].msg_hdr;
            header.msg_iov = &parts[i];
            header.msg_iovlen = 1;
            header.msg_control = control[i].bytes.data();
            header.msg_controllen = kControlSize;
        }
    }
};

namespace {

/// What came beside the text. Owns the descriptors.
struct Attached {
    ucred credentials{};
    bool has_credentials = false;
    std::array<int, kMostDescriptors> descriptors;
    std::size_t descriptor_count = 0;

    explicit Attached(msghdr& header) {
        for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
            if (part->cmsg_level != SOL_SOCKET) continue;
            const std::size_t size = part->cmsg_len - CMSG_LEN(0);
            if (part->cmsg_type == SCM_CREDENTIALS && size >= sizeof credentials) {
                std::memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
                has_credentials = true;
            } else if (part->cmsg_type == SCM_RIGHTS) {
                const std::size_t room = kMostDescriptors - descriptor_count;
                const std::size_t count = std::min(size / sizeof(int), room);
                std::memcpy(descriptors.data() + descriptor_count, CMSG_DATA(part), count * sizeof(int));
                descriptor_count += count;
            }
        }
    }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;
    ~Attached() {
        for (std::size_t i = 0; i < descriptor_count; ++i) ::close(descriptors[i]);
    }
};

}  // namespace

NotifyReceiver::NotifyReceiver() : buffers_(std::make_unique<Buffers>()) {}
NotifyReceiver::~NotifyReceiver() = default;

NotifyCount NotifyReceiver::receive(int fd, std::size_t max, FunctionRef<void(const NotifyMessage&)> handle) {
    NotifyCount total;
    std::size_t seen = 0;
    while (seen < max) {
        const std::size_t wanted = std::min(kBatch, max - seen);
        const int got = ::recvmmsg(fd, buffers_->headers.data(), static_cast<unsigned>(wanted),
                                   MSG_DONTWAIT | MSG_CMSG_CLOEXEC, nullptr);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return total;
        const auto count = static_cast<std::size_t>(got);
        for (std::size_t i = 0; i < count; ++i) {
            msghdr& header = buffers_->headers[i].msg_hdr;
            const Attached attached(header);
            if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || !attached.has_credentials) {
                ++((header.msg_flags & MSG_TRUNC) != 0 ? total.too_long : total.dropped);
                continue;
            }
            const NotifyMessage message{.text = {buffers_->text[i].data(), buffers_->headers[i].msg_len},
                                        .pid = attached.credentials.pid,
                                        .uid = attached.credentials.uid,
                                        .descriptors = attached.descriptor_count};
            handle(message);
            ++total.handed_out;
        }
        buffers_->prepare(count);
        seen += count;
        if (count < wanted) return total;
    }
    total.more = true;
    return total;
}

}  // namespace vigil::os
