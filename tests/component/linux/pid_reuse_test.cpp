// The number of a process that is gone, given to a stranger: the kernel does it on request (clone3 with
// set_tid).
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "linux/process/known_process.hpp"
#include "linux/process/process.hpp"
#include "linux/process/process_table.hpp"
#include "tree_support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;
using core::effect::SignalTarget;

namespace {

/// A process with a number of our choice that leads a group and a session of its own, as a task does.
class Stranger {
  public:
    explicit Stranger(pid_t number) {
        clone_args arguments{};
        arguments.exit_signal = SIGCHLD;
        arguments.set_tid = reinterpret_cast<std::uintptr_t>(&number);
        arguments.set_tid_size = 1;
        pid_ = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
        // A copy of a process with threads: system calls and nothing else.
        if (pid_ == 0) {
            ::syscall(SYS_setsid);
            for (;;) ::syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
        }
        error_ = pid_ < 0 ? errno : 0;
        if (pid_ > 0) REQUIRE(eventually([&] { return ::getpgid(pid_) == pid_; }));
    }
    ~Stranger() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;

    [[nodiscard]] int error() const noexcept { return error_; }
    [[nodiscard]] bool alive() const {
        siginfo_t ended{};
        return ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               ended.si_pid == 0;
    }

  private:
    pid_t pid_;
    int error_;
};

bool may_choose_numbers() {
    // A number that is taken, ours: EEXIST is for those who may, EPERM for all others.
    const Stranger taken(::getpid());
    if (taken.error() == EEXIST) return true;
    MESSAGE("SKIPPED: the numbers of processes cannot be chosen here (CAP_CHECKPOINT_RESTORE)");
    return false;
}

/// The next process starts in a later tick of the clock that start times are counted in.
void let_a_tick_pass(std::uint64_t after) {
    const auto ticks = [] {
        timespec now{};
        ::clock_gettime(CLOCK_BOOTTIME, &now);
        const auto rate = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
        return static_cast<std::uint64_t>(now.tv_sec) * rate +
               static_cast<std::uint64_t>(now.tv_nsec) * rate / 1'000'000'000;
    };
    REQUIRE(eventually([&] { return ticks() > after; }));
}

}  // namespace

TEST_CASE("nasty 21: a process that got the number of an ended run is not signalled in its place") {
    if (!may_choose_numbers()) return;
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("exit 0");
        REQUIRE(bench.empties(tree));
        const Stranger stranger(tree.leader());
        REQUIRE(stranger.error() == 0);
        CHECK(tree.ask(SignalTarget::main, SIGKILL).ok());
        CHECK(tree.ask(SignalTarget::tree, SIGKILL).ok());
        CHECK(tree.signal_leader(SIGKILL).ok());
        CHECK(tree.kill_all().ok());
        CHECK(tree.survivors().empty());
        CHECK(tree.empty());
        CHECK(stranger.alive());
    }
}

TEST_CASE("nasty 21, 28: the number of a main process is not given away while one of its group lives") {
    if (!may_choose_numbers()) return;
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("sleep 100 & exit 0");
        REQUIRE(eventually([&] { return tree.end_of_leader().has_value(); }));
        // What makes it safe to signal a group by the number of a leader that was reaped.
        CHECK(Stranger(tree.leader()).error() == EEXIST);
        CHECK(bench.ends(tree));
    }
}

TEST_CASE("nasty 21: a process that got the number of a run of the daemon before is not taken over") {
    if (!may_choose_numbers()) return;
    Features found = probe_features();
    for (const bool inode_known : {true, false}) {
        CAPTURE(inode_known);
        SpawnBench bench;
        SpawnOutcome run = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
        REQUIRE_FALSE(run.failure);
        const KnownProcess known{.pid = run.pid,
                                 .inode = inode_known ? unique_inode(run.pidfd.get()) : 0,
                                 .start_time = read_process(run.pid)->start_time,
                                 .invocation = run.invocation};
        CHECK(find_again(known, found));
        finish_off(run);
        let_a_tick_pass(known.start_time);
        const Stranger stranger(known.pid);
        REQUIRE(stranger.error() == 0);
        CHECK_FALSE(find_again(known, found));
        CHECK(stranger.alive());
    }
}
