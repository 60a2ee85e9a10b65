// The least that a supervisor can do, as the measure of the others: it starts, starts again and ends N
// processes, and knows nothing of them.
//
//   bare_supervisor THREADS N WORKER SOCKET [apart]
//
// With `apart` it does the two things that no supervisor of worth goes without: each child gets a session, a
// stdin and an output of its own, and what is started again is started by a thread beside the one that waits,
// since nobody knows how long a spawn takes.
//
// Driven by lines on stdin, each answered by "ok" on stdout:
//   ready   nothing: it is
//   start   vfork + exec of all, one after the other, by so many threads
//   watch   opens a pidfd each; from then on whoever ends is started again: pidfd, waitid, vfork + exec
//   stop    SIGTERM and waitid, one after the other
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

struct Child {
    const char* argv[4] = {};
    std::string number;
    int null_fd = -1;  ///< what is its stdin and its output in a session of its own; -1: it stays in ours
};

char* kEnvironment[] = {nullptr};

/// Runs in the address space of this program until the exec.
int become(void* argument) {
    const auto* child = static_cast<const Child*>(argument);
    // The table is this program's, with a descriptor for each process: what is of use lies below 10, and a
    // copy of the rest would cost more than all else.
    ::syscall(SYS_close_range, 10, ~0U, 1U << 1 /* CLOSE_RANGE_UNSHARE */);
    if (child->null_fd >= 0) {
        ::syscall(SYS_setsid);
        for (int fd = 0; fd < 3; ++fd) ::syscall(SYS_dup3, child->null_fd, fd, 0);
        ::syscall(SYS_close_range, 3, ~0U, 0);
    }
    ::execve(child->argv[0], const_cast<char* const*>(child->argv), kEnvironment);
    ::_exit(127);
}

class Spawner {
  public:
    Spawner() {
        stack_ = static_cast<char*>(
            ::mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (stack_ == MAP_FAILED) give_up("mmap");
    }
    ~Spawner() { ::munmap(stack_, kStack); }
    Spawner(const Spawner&) = delete;
    Spawner& operator=(const Spawner&) = delete;

    /// A pidfd too where `pidfd` is not null.
    pid_t spawn(const Child& child, int* pidfd) {
        const int flags =
            CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD | (pidfd != nullptr ? CLONE_PIDFD : 0);
        const pid_t pid = ::clone(become, stack_ + kStack, flags, const_cast<Child*>(&child), pidfd);
        if (pid < 0) give_up("clone");
        return pid;
    }

  private:
    static constexpr std::size_t kStack = 64 << 10;
    char* stack_;
};

class Bare {
  public:
    Bare(unsigned threads, std::size_t count, const char* worker, const char* socket, bool apart)
        : spawners_(threads), children_(count), pids_(count), pidfds_(count, -1), apart_(apart) {
        const int null_fd = apart ? ::open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
        if (apart && null_fd < 0) give_up("/dev/null");
        for (std::size_t i = 0; i < count; ++i) {
            Child& child = children_[i];
            child.number = std::to_string(i);
            child.argv[0] = worker;
            child.argv[1] = socket;
            child.argv[2] = child.number.c_str();
            child.null_fd = null_fd;
        }
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        watch(0, kOrders);
        if (apart_) again_ = std::thread([this] { start_again(); });
    }
    ~Bare() {
        if (!apart_) return;
        hand_over(kOrders);
        again_.join();
    }
    Bare(const Bare&) = delete;
    Bare& operator=(const Bare&) = delete;

    void run() {
        for (;;) {
            epoll_event events[64];
            const int count = ::epoll_wait(epoll_, events, 64, -1);
            for (int i = 0; i < count; ++i) {
                if (events[i].data.u64 != kOrders)
                    replace(events[i].data.u64);
                else if (!obey())
                    return;
            }
        }
    }

  private:
    static constexpr std::uint64_t kOrders = ~std::uint64_t{0};

    void watch(int fd, std::uint64_t what) {
        epoll_event event{EPOLLIN, {.u64 = what}};
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
    }

    bool obey() {
        char line[64];
        const ssize_t size = ::read(0, line, sizeof line);
        if (size <= 0) return false;
        const std::string_view order(line, static_cast<std::size_t>(size));
        if (order == "start\n") start_all();
        if (order == "watch\n") watch_all();
        if (order == "stop\n") stop_all();
        return ::write(1, "ok\n", 3) == 3;
    }

    void start_all() {
        const auto part = [this](std::size_t first) {
            for (std::size_t i = first; i < children_.size(); i += spawners_.size())
                pids_[i] = spawners_[first].spawn(children_[i], nullptr);
        };
        std::vector<std::thread> others;
        for (std::size_t i = 1; i < spawners_.size(); ++i) others.emplace_back(part, i);
        part(0);
        for (std::thread& other : others) other.join();
    }

    void watch_all() {
        for (std::size_t i = 0; i < pids_.size(); ++i) {
            pidfds_[i] = static_cast<int>(::syscall(SYS_pidfd_open, pids_[i], 0));
            if (pidfds_[i] < 0) give_up("pidfd_open");
            // Above what the child keeps.
            const int low = pidfds_[i];
            if (low < 10) {
                pidfds_[i] = ::fcntl(low, F_DUPFD_CLOEXEC, 10);
                ::close(low);
            }
            watch(pidfds_[i], i);
        }
    }

    void replace(std::size_t i) {
        siginfo_t info{};
        ::waitid(P_PIDFD, static_cast<id_t>(pidfds_[i]), &info, WEXITED);
        ::epoll_ctl(epoll_, EPOLL_CTL_DEL, pidfds_[i], nullptr);
        ::close(pidfds_[i]);
        apart_ ? hand_over(i) : spawn_again(i);
    }

    void spawn_again(std::size_t i) {
        pids_[i] = spawners_[0].spawn(children_[i], &pidfds_[i]);
        watch(pidfds_[i], i);
    }

    void hand_over(std::uint64_t i) {
        {
            const std::lock_guard lock(mutex_);
            ended_.push_back(i);
        }
        some_ended_.notify_one();
    }

    void start_again() {
        for (;;) {
            std::unique_lock lock(mutex_);
            some_ended_.wait(lock, [this] { return !ended_.empty(); });
            const std::uint64_t i = ended_.front();
            ended_.pop_front();
            lock.unlock();
            if (i == kOrders) return;
            spawn_again(i);
        }
    }

    void stop_all() {
        for (std::size_t i = 0; i < pids_.size(); ++i) {
            ::kill(pids_[i], SIGTERM);
            if (::waitpid(pids_[i], nullptr, 0) != pids_[i]) give_up("waitpid");
            if (pidfds_[i] >= 0) ::close(pidfds_[i]);
            pidfds_[i] = -1;
        }
    }

    std::vector<Spawner> spawners_;
    std::vector<Child> children_;
    std::vector<pid_t> pids_;
    std::vector<int> pidfds_;
    int epoll_ = -1;
    bool apart_;
    std::mutex mutex_;
    std::condition_variable some_ended_;
    std::deque<std::uint64_t> ended_;  ///< and kOrders, when it is over
    std::thread again_;
};

}  // namespace

int main(int argc, char** argv) {
    const bool apart = argc == 6 && std::string_view(argv[5]) == "apart";
    if (argc != 5 && !apart) return 2;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    Bare(static_cast<unsigned>(std::max(1, std::atoi(argv[1]))), static_cast<std::size_t>(std::atol(argv[2])),
         argv[3], argv[4], apart)
        .run();
    return 0;
}
