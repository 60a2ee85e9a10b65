// The least that hearing beats costs: N datagram sockets, the sender's credentials with each message, nothing
// done with it.
//
//   receive_loop N PREFIX
//
// Binds PREFIX0 ... PREFIX(N-1), says "ok" on stdout, and reads until it is killed.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

int bound_to(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (fd < 0 || path.size() >= sizeof address.sun_path) give_up("socket");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int on = 1;
    if (::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) give_up("SO_PASSCRED");
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("bind");
    return fd;
}

constexpr std::size_t kBatch = 16;

struct Batch {
    struct Message {
        char text[256];
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
        iovec body;
    };
    std::array<Message, kBatch> messages;
    std::array<mmsghdr, kBatch> headers;

    void prepare() {
        for (std::size_t i = 0; i < kBatch; ++i) {
            messages[i].body = {messages[i].text, sizeof messages[i].text};
            headers[i] = {};
            headers[i].msg_hdr.msg_iov = &messages[i].body;
            headers[i].msg_hdr.msg_iovlen = 1;
            headers[i].msg_hdr.msg_control = messages[i].control;
            headers[i].msg_hdr.msg_controllen = sizeof messages[i].control;
        }
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    const int count = std::atoi(argv[1]);
    for (int i = 0; i < count; ++i) {
        const int fd = bound_to(argv[2] + std::to_string(i));
        epoll_event event{EPOLLIN, {.fd = fd}};
        if (::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
    }
    if (::write(1, "ok\n", 3) != 3) give_up("write");
    static Batch batch;
    std::array<epoll_event, 256> events;
    for (;;) {
        const int ready = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < ready; ++i) {
            batch.prepare();
            ::recvmmsg(events[static_cast<std::size_t>(i)].data.fd, batch.headers.data(), kBatch, 0, nullptr);
        }
    }
}
