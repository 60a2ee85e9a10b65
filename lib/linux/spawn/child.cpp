#include "linux/spawn/child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <cerrno>

#include "linux/spawn/raw_call.hpp"

// Of the C library's headers only the constants are used; errno itself belongs to the spawn thread.
namespace vigil::os {
namespace {

using core::SpawnStage;

constexpr int kHeartbeatFd = 3;

template <typename T>
long word(T* pointer) {
    return reinterpret_cast<long>(pointer);
}

struct Start {
    const ChildPlan* plan;
    ChildReport* report;
};

void at(ChildReport& report, SpawnStage stage) {
    __atomic_store_n(&report.stage, static_cast<std::int32_t>(stage), __ATOMIC_RELAXED);
}

/// 0 or minus an errno, from a call that gives a number of no interest.
long done(long result) {
    return result < 0 ? result : 0;
}

/// An own table with nothing in it but what is low. Unsharing and closing in one call is what keeps a spawn
/// from costing O(open descriptors); until it returns the table is the daemon's own, so it has to be first.
long close_descriptors(const ChildPlan& plan) {
    return done(raw::call(__NR_close_range, plan.keep_below, -1L & 0xffffffffL, CLOSE_RANGE_UNSHARE));
}

long duplicate(int from, int to) {
    return done(raw::call(__NR_dup3, from, to, 0));
}

long set_stdio(const ChildPlan& plan) {
    if (const long failed = duplicate(plan.null_fd, 0)) return failed;
    if (plan.output_to_null) {
        if (const long failed = duplicate(plan.null_fd, 1)) return failed;
        if (const long failed = duplicate(plan.null_fd, 2)) return failed;
    }
    if (plan.out_fd >= 0) {
        if (const long failed = duplicate(plan.out_fd, 1)) return failed;
        if (const long failed = duplicate(plan.err_fd, 2)) return failed;
    }
    unsigned first_closed = 3;
    if (plan.heartbeat_fd >= 0) {
        const long failed = plan.heartbeat_fd == kHeartbeatFd
                                ? done(raw::call(__NR_fcntl, kHeartbeatFd, F_SETFD, 0))
                                : duplicate(plan.heartbeat_fd, kHeartbeatFd);
        if (failed) return failed;
        first_closed = 4;
    }
    // Closed, not only marked: a cwd of /proc/self/fd/N reaches what is still open (CVE-2024-21626).
    return done(raw::call(__NR_close_range, first_closed, -1L & 0xffffffffL, 0));
}

long set_limits(const ChildPlan& plan) {
    for (std::size_t i = 0; i < plan.limit_count; ++i) {
        const ChildLimit& limit = plan.limits[i];
        const std::uint64_t pair[2] = {limit.soft, limit.hard};
        if (const long failed = done(raw::call(__NR_prlimit64, 0, limit.resource, word(&pair), 0)))
            return failed;
    }
    return 0;
}

long write_oom_score(const ChildPlan& plan, long file) {
    long failed = file < 0 ? file : 0;
    if (file >= 0) {
        const long length = static_cast<long>(plan.oom_score_adj_length);
        failed = done(raw::call(__NR_write, file, word(plan.oom_score_adj), length));
        raw::call(__NR_close, file);
    }
    return plan.oom_score_adj_required ? failed : 0;
}

long set_groups_and_group(const ChildPlan& plan, ChildReport& report) {
    at(report, SpawnStage::groups);
    if (plan.set_groups) {
        const long count = static_cast<long>(plan.group_count);
        if (const long failed = done(raw::call(__NR_setgroups, count, word(plan.groups)))) return failed;
    }
    at(report, SpawnStage::group);
    const long gid = plan.gid;
    if (!plan.set_gid) return 0;
    if (const long failed = done(raw::call(__NR_setresgid, gid, gid, gid))) return failed;
    gid_t now[3] = {};
    if (const long failed = done(raw::call(__NR_getresgid, word(&now[0]), word(&now[1]), word(&now[2]))))
        return failed;
    return now[0] == plan.gid && now[1] == plan.gid && now[2] == plan.gid ? 0 : -EPERM;
}

long set_user(const ChildPlan& plan) {
    const long uid = plan.uid;
    if (!plan.set_uid) return 0;
    if (const long failed = done(raw::call(__NR_setresuid, uid, uid, uid))) return failed;
    uid_t now[3] = {};
    if (const long failed = done(raw::call(__NR_getresuid, word(&now[0]), word(&now[1]), word(&now[2]))))
        return failed;
    return now[0] == plan.uid && now[1] == plan.uid && now[2] == plan.uid ? 0 : -EPERM;
}

/// Handlers are at their defaults already (CLONE_CLEAR_SIGHAND); what is ignored stays so across clone3 and
/// execve.
long reset_signals(const ChildPlan& plan) {
    const unsigned long default_action[4] = {};  // the kernel's struct sigaction: SIG_DFL, no flags
    for (int signal = 1; signal <= 64; ++signal) {
        if (((plan.ignored_signals >> (signal - 1)) & 1U) == 0) continue;
        if (const long failed = done(raw::call(__NR_rt_sigaction, signal, word(&default_action), 0, 8)))
            return failed;
    }
    const std::uint64_t nothing_blocked = 0;
    return done(raw::call(__NR_rt_sigprocmask, SIG_SETMASK, word(&nothing_blocked), 0, 8));
}

/// Systemd's protocol: only the process with this pid is to beat. Known only here.
void write_watchdog_pid(char* out) {
    char digits[10];
    std::size_t count = 0;
    for (long pid = raw::call(__NR_getpid); pid > 0 && count < sizeof digits; pid /= 10)
        digits[count++] = static_cast<char>('0' + pid % 10);
    while (count > 0) *out++ = digits[--count];
    *out = '\0';
}

/// Returns only when nothing could be executed. A place in PATH that this user cannot use does not end the
/// search; EACCES says more than the ENOENT of the places after it.
long execute(const ChildPlan& plan, ChildReport& report) {
    long worst = -ENOENT;
    for (std::int32_t i = 0; plan.paths[i] != nullptr; ++i) {
        const long failed = raw::call(__NR_execve, word(plan.paths[i]), word(plan.argv), word(plan.envp));
        const bool next = failed == -ENOENT || failed == -ENOTDIR || failed == -EACCES;
        if (report.tried < 0 || worst != -EACCES || !next) {
            worst = failed;
            report.tried = i;
        }
        if (!next) break;
    }
    return worst;
}

/// 0 is never returned: a child that gets to its exec does not come back.
long go(const ChildPlan& plan, ChildReport& report) {
    if (__atomic_load_n(&report.abort, __ATOMIC_SEQ_CST) != 0) return -ECANCELED;
    at(report, SpawnStage::close_descriptors);
    if (const long failed = close_descriptors(plan)) return failed;
    at(report, SpawnStage::session);
    if (const long failed = done(raw::call(__NR_setsid))) return failed;
    at(report, SpawnStage::stdio);
    if (const long failed = set_stdio(plan)) return failed;
    // Opened before a configured RLIMIT_NOFILE can forbid it.
    const long oom_file =
        plan.set_oom_score_adj
            ? raw::call(__NR_openat, AT_FDCWD, word("/proc/self/oom_score_adj"), O_WRONLY | O_CLOEXEC)
            : -ENOENT;
    at(report, SpawnStage::umask);
    raw::call(__NR_umask, static_cast<long>(plan.umask));
    at(report, SpawnStage::rlimits);
    if (const long failed = set_limits(plan)) return failed;
    at(report, SpawnStage::nice);
    if (plan.set_nice) {
        if (const long failed = done(raw::call(__NR_setpriority, PRIO_PROCESS, 0, plan.nice))) return failed;
    }
    at(report, SpawnStage::oom_score_adj);
    if (plan.set_oom_score_adj) {
        if (const long failed = write_oom_score(plan, oom_file)) return failed;
    }
    if (const long failed = set_groups_and_group(plan, report)) return failed;
    at(report, SpawnStage::user);
    if (const long failed = set_user(plan)) return failed;
    at(report, SpawnStage::cwd);
    while (plan.hold) raw::call(__NR_ppoll, 0, 0, 0, 0, 0);
    if (const long failed = done(raw::call(__NR_chdir, word(plan.cwd)))) return failed;
    at(report, SpawnStage::no_new_privs);
    if (plan.no_new_privs) {
        if (const long failed = done(raw::call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))) return failed;
    }
    if (plan.watchdog_pid != nullptr) write_watchdog_pid(plan.watchdog_pid);
    at(report, SpawnStage::signals);
    if (const long failed = reset_signals(plan)) return failed;
    at(report, SpawnStage::exec);
    return execute(plan, report);
}

int child_main(void* argument) {
    const Start& start = *static_cast<const Start*>(argument);
    const long failed = go(*start.plan, *start.report);
    __atomic_store_n(&start.report->error, static_cast<std::int32_t>(-failed), __ATOMIC_RELEASE);
    return 127;
}

}  // namespace

long run_child(const ChildPlan& plan, ChildReport& report, void* stack_bottom, std::size_t stack_size,
               pid_t* parent_tid) noexcept {
    Start start{&plan, &report};
    // CLONE_VFORK: the caller sleeps until the exec or the end, so `start` and the plan outlive the child's
    // use of them.
    clone_args arguments{};
    arguments.flags =
        CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&report.pidfd);
    arguments.parent_tid = reinterpret_cast<std::uint64_t>(parent_tid);
    if (plan.cgroup_fd >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<unsigned>(plan.cgroup_fd);
    }
    arguments.exit_signal = SIGCHLD;
    arguments.stack = reinterpret_cast<std::uint64_t>(stack_bottom);
    arguments.stack_size = stack_size;
    return raw::clone_and_call(&arguments, sizeof arguments, child_main, &start);
}

}  // namespace vigil::os
