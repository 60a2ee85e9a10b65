#include "linux/process/process.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <type_traits>

#include "core/process_ids.hpp"
#include "linux/process/pidfd_calls.hpp"

namespace vigil::os {

static_assert(std::is_same_v<core::Pid, pid_t> && std::is_same_v<core::Uid, uid_t> &&
              std::is_same_v<core::FileMode, mode_t>);

namespace {

constexpr auto kByPidfd = static_cast<idtype_t>(P_PIDFD);

core::Duration from_timeval(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

core::ResourceUse from_rusage(const rusage& usage) {
    constexpr std::uint64_t kKibibyte = 1024;  // the unit of ru_maxrss, getrusage(2)
    return {.user = from_timeval(usage.ru_utime),
            .system = from_timeval(usage.ru_stime),
            .max_rss = static_cast<std::uint64_t>(usage.ru_maxrss) * kKibibyte};
}

core::ExitStatus from_siginfo(const siginfo_t& info) {
    core::ExitStatus status;
    if (info.si_code == CLD_EXITED) {
        status.kind = core::ExitStatus::Kind::code;
        status.code = info.si_status;
    } else {
        status.kind = core::ExitStatus::Kind::signal;
        status.signal = info.si_status;
        status.core = info.si_code == CLD_DUMPED;
    }
    return status;
}

/// For a process that is not ours to wait for. The pidfd is readable from its death on, the status is there
/// from its reaping on (Linux 6.15); before that the answer has to wait.
std::optional<ChildEnd> end_of_stranger(int pidfd, const Features& features) {
    if (features.exit_info) {
        pidfd_calls::Info info;
        const bool answered = pidfd_calls::get_info(pidfd, pidfd_calls::kInfoExit, info);
        if (answered && (info.mask & pidfd_calls::kInfoExit) != 0)
            return ChildEnd{.status = decode_wait_status(info.exit_code), .usage = {}};
        if (answered) return std::nullopt;
    }
    if (!has_ended(pidfd)) return std::nullopt;
    return ChildEnd{};
}

Result<void> outcome_of(int result, const char* doing) {
    if (result == 0) return {};
    return Failure{errno_error(doing)};
}

}  // namespace

Result<UniqueFd> open_pidfd(pid_t pid) {
    UniqueFd pidfd(pidfd_calls::open(pid));
    if (!pidfd) return Failure{errno_error("opening a pidfd of process " + std::to_string(pid))};
    return pidfd;
}

std::uint64_t unique_inode(int pidfd) noexcept {
    constexpr decltype(statfs::f_type) kPidfs = 0x50494446;  // PIDFS_MAGIC of linux/magic.h
    struct stat status {};
    if (::fstat(pidfd, &status) != 0) return 0;
    // All pidfds are of one file system, so that is asked once.
    static std::atomic<dev_t> pidfs{0};
    if (pidfs.load(std::memory_order_relaxed) != status.st_dev) {
        struct statfs system {};
        if (::fstatfs(pidfd, &system) != 0 || system.f_type != kPidfs) return 0;
        pidfs.store(status.st_dev, std::memory_order_relaxed);
    }
    return status.st_ino;
}

core::ExitStatus decode_wait_status(int wait_status) noexcept {
    core::ExitStatus status;
    if (WIFEXITED(wait_status)) {
        status.kind = core::ExitStatus::Kind::code;
        status.code = WEXITSTATUS(wait_status);
    } else if (WIFSIGNALED(wait_status)) {
        status.kind = core::ExitStatus::Kind::signal;
        status.signal = WTERMSIG(wait_status);
        status.core = WCOREDUMP(wait_status);
    }
    return status;
}

std::optional<ChildEnd> reap(int pidfd, const Features& features) {
    siginfo_t info{};
    rusage usage{};
    // The system call itself gives the usage, the C library's waitid() does not.
    const long result = ::syscall(SYS_waitid, kByPidfd, pidfd, &info, WEXITED | WNOHANG, &usage);
    if (result != 0) return end_of_stranger(pidfd, features);
    if (info.si_pid == 0) return std::nullopt;
    return ChildEnd{.status = from_siginfo(info), .usage = from_rusage(usage)};
}

void wait_and_reap(int pidfd) noexcept {
    siginfo_t info{};
    while (::waitid(kByPidfd, static_cast<id_t>(pidfd), &info, WEXITED) != 0 && errno == EINTR) {
    }
}

bool has_ended(int pidfd) noexcept {
    pollfd look{.fd = pidfd, .events = POLLIN, .revents = 0};
    return ::poll(&look, 1, 0) == 1 && (look.revents & (POLLIN | POLLHUP)) != 0;
}

Result<void> signal_process(int pidfd, int signal) noexcept {
    return outcome_of(pidfd_calls::send_signal(pidfd, signal, 0), "signalling a process");
}

Result<void> signal_group(pid_t leader, int pidfd, int signal, const Features& features) noexcept {
    if (features.signal_process_group)
        return outcome_of(pidfd_calls::send_signal(pidfd, signal, pidfd_calls::kSignalProcessGroup),
                          "signalling a process group");
    // kill(-1) and kill(0) mean something else altogether.
    if (leader <= 1) return Failure{Error{"signalling a process group", ESRCH}};
    return outcome_of(::kill(-leader, signal), "signalling a process group");
}

bool group_is_empty(pid_t leader, int pidfd, const Features& features) noexcept {
    const Result<void> probe = signal_group(leader, pidfd, 0, features);
    return !probe && probe.error().code == ESRCH;
}

Result<void> become_subreaper() noexcept {
    return outcome_of(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "becoming the reaper of orphans");
}

}  // namespace vigil::os
