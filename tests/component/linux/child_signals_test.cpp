// SIGCHLD through a descriptor.
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux/self/signals.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

/// SIGCHLD is blocked in this thread.
class Blocked {
  public:
    Blocked() {
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, SIGCHLD);
        REQUIRE(::pthread_sigmask(SIG_BLOCK, &set, &before_) == 0);
    }
    ~Blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;

  private:
    sigset_t before_{};
};

/// Its signal is pending when this returns.
void one_child_ends() {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) ::_exit(0);
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
}

}  // namespace

TEST_CASE("the end of a child is told of by a descriptor, once until it is taken") {
    const NothingLeft nothing_left;
    const Blocked blocked;
    auto signals = child_signals();
    REQUIRE(signals);
    const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    REQUIRE(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, signals->get(), &event) == 0);
    const auto told = [&] { return ::epoll_wait(epoll.get(), &event, 1, 0) == 1; };

    CHECK_FALSE(take_child_signal(*signals));
    CHECK_FALSE(told());
    one_child_ends();
    CHECK(told());
    one_child_ends();
    CHECK_FALSE(told());
    CHECK(take_child_signal(*signals));
    CHECK_FALSE(take_child_signal(*signals));
    one_child_ends();
    CHECK(told());
    CHECK(take_child_signal(*signals));
}

TEST_CASE("no signal is left blocked but that of children") {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    REQUIRE(::pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    CHECK(block_only_child_signals());
    CHECK(status_field(read_whole("/proc/thread-self/status"), "SigBlk") == "0000000000010000");
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
