// vigil_hostile SOCKET MODE CONNECTIONS: a client of the control socket as no client should be, many times
// over, until SIGTERM. A connection that the daemon ends is made anew.
//
//   idle       connects and says nothing
//   half       sends half a line and falls silent
//   slow       sends a request, one byte a second
//   endless    sends a line without an end as fast as it is taken
//   deaf       asks for every status and never reads an answer
//   waiting    asks for what never comes (task.wait), and reads
//   pipeline   sends thousands of requests in one go and reads the answers
//   garbage    sends noise, with a line end here and there
//   deep       sends lines of 100,000 brackets
//
// Prints at its end "MODE opened N open N refused N ended N lines N denied N": connections made and open at
// the end, connects that found a full queue, connections that the daemon ended, lines that it sent, and how
// many of those refuse a right.
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kDenied = R"("kind":"Denied")";

volatile sig_atomic_t over = 0;

struct Mode {
    const char* name;
    bool reads;
    bool again;    ///< sends its text over and over
    bool trickle;  ///< a byte a second
    std::string text;
};

std::string request(const char* method, const char* params) {
    return std::string(R"({"jsonrpc":"2.0","id":1,"method":")") + method + R"(","params":)" + params + "}\n";
}

std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

std::string noise() {
    std::string text(65536, '\0');
    unsigned state = 1;
    for (char& c : text) c = static_cast<char>((state = state * 1103515245U + 12345U) >> 16);
    return text;
}

std::vector<Mode> modes() {
    const std::string status = request("task.status", "{}");
    return {{"idle", true, false, false, ""},
            {"half", true, false, false, status.substr(0, 20)},
            {"slow", true, false, true, status},
            {"endless", true, true, false, std::string(65536, 'x')},
            {"deaf", false, true, false, repeated(status, 100)},
            {"waiting", true, false, false, request("task.wait", R"({"name":"*","for":"stopped"})")},
            {"pipeline", true, true, false, repeated(request("daemon.hello", "{}"), 2000)},
            {"garbage", true, true, false, noise()},
            {"deep", true, true, false, std::string(100'000, '[') + "\n"}};
}

struct Connection {
    int fd = -1;
    std::size_t sent = 0;
    Clock::time_point due{};  ///< of the next byte, or of the next try to connect
};

class Crowd {
  public:
    Crowd(const char* path, const Mode& mode, std::size_t size)
        : mode_(mode), epoll_(::epoll_create1(EPOLL_CLOEXEC)), all_(size) {
        address_.sun_family = AF_UNIX;
        std::strncpy(address_.sun_path, path, sizeof address_.sun_path - 1);
    }

    void run() {
        while (over == 0) {
            look_after(Clock::now());
            std::array<epoll_event, 256> events;
            const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 20);
            for (int i = 0; i < count; ++i) {
                const epoll_event& event = events[static_cast<std::size_t>(i)];
                Connection& one = all_[event.data.u32];
                if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && one.fd >= 0) read(one);
                if ((event.events & EPOLLOUT) != 0 && one.fd >= 0 && !mode_.trickle)
                    send(one, mode_.text.size());
            }
        }
        const auto open =
            std::count_if(all_.begin(), all_.end(), [](const auto& one) { return one.fd >= 0; });
        std::printf("%s opened %zu open %td refused %zu ended %zu lines %zu denied %zu\n", mode_.name,
                    opened_, open, refused_, ended_, lines_, denied_);
    }

  private:
    void look_after(Clock::time_point now) {
        for (Connection& one : all_) {
            if (one.due > now) continue;
            if (one.fd < 0) {
                connect(one, now);
            } else if (mode_.trickle && one.sent < mode_.text.size()) {
                send(one, 1);
                one.due = now + std::chrono::seconds(1);
            }
        }
    }

    void connect(Connection& one, Clock::time_point now) {
        one = {.due = now + std::chrono::milliseconds(100)};
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) return;
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0) {
            ++refused_;
            ::close(fd);
            return;
        }
        ++opened_;
        one.fd = fd;
        if (!mode_.trickle) one.due = Clock::time_point::max();
        epoll_event event{};
        event.events = (mode_.reads ? EPOLLIN : 0U) | (mode_.text.empty() || mode_.trickle ? 0U : EPOLLOUT);
        event.data.u32 = static_cast<std::uint32_t>(&one - all_.data());
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }

    void send(Connection& one, std::size_t most) {
        if (one.sent == mode_.text.size() && mode_.again) one.sent = 0;
        const std::size_t size = std::min(most, mode_.text.size() - one.sent);
        const ssize_t count = ::send(one.fd, mode_.text.data() + one.sent, size, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN) return end(one);
        if (count > 0) one.sent += static_cast<std::size_t>(count);
        if (one.sent == mode_.text.size() && !mode_.again) watch_for_answers(one);
    }

    void watch_for_answers(Connection& one) {
        epoll_event event{};
        event.events = mode_.reads ? EPOLLIN : 0U;
        event.data.u32 = static_cast<std::uint32_t>(&one - all_.data());
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, one.fd, &event);
    }

    void read(Connection& one) {
        std::array<char, 65536> bytes;
        const ssize_t count = ::recv(one.fd, bytes.data(), bytes.size(), 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0 || !mode_.reads) return end(one);
        const std::string_view text(bytes.data(), static_cast<std::size_t>(count));
        lines_ += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        // One that is cut by the end of the buffer is missed.
        for (std::size_t at = 0; (at = text.find(kDenied, at)) != std::string_view::npos;
             at += kDenied.size())
            ++denied_;
    }

    void end(Connection& one) {
        ::close(one.fd);
        ++ended_;
        one = {.due = Clock::now() + std::chrono::milliseconds(50)};
    }

    const Mode& mode_;
    int epoll_;
    sockaddr_un address_{};
    std::vector<Connection> all_;
    std::size_t opened_ = 0;
    std::size_t refused_ = 0;
    std::size_t ended_ = 0;
    std::size_t lines_ = 0;
    std::size_t denied_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const auto all = modes();
    const auto mode = argc == 4
                          ? std::find_if(all.begin(), all.end(),
                                         [&](const Mode& one) { return std::strcmp(one.name, argv[2]) == 0; })
                          : all.end();
    if (mode == all.end()) {
        std::fputs("usage: vigil_hostile SOCKET MODE CONNECTIONS\n", stderr);
        return 2;
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    struct sigaction action {};
    action.sa_handler = [](int) { over = 1; };
    ::sigaction(SIGTERM, &action, nullptr);
    Crowd(argv[1], *mode, std::strtoul(argv[3], nullptr, 10)).run();
    return 0;
}
