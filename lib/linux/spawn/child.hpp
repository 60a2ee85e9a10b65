// Layer linux, internal. The child's side of a spawn, between clone3 and execve.
//
// The child runs on the memory of a process with threads, on a stack of its own, with the thread-local
// storage of the spawn thread. So: raw system calls only, no allocation, no libc, no instrumentation of any
// sanitizer (see CMakeLists.txt); everything it needs is prepared in a ChildPlan, and everything it says goes
// into a ChildReport.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "core/cause.hpp"

namespace vigil::os {

struct ChildLimit {
    int resource = 0;
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

/// What the child is to do, all of it resolved. Read by the child only, but for the digits of its pid.
struct ChildPlan {
    const char* const* paths = nullptr;  ///< tried in order, null at the end
    char* const* argv = nullptr;
    char* const* envp = nullptr;
    char* watchdog_pid = nullptr;  ///< room for 10 digits and a NUL inside envp; null: not wanted
    unsigned keep_below = 0;       ///< every descriptor the child needs is below this
    int null_fd = -1;              ///< /dev/null for reading and writing; >= 3
    int heartbeat_fd = -1;         ///< becomes descriptor 3; >= 3, -1: none
    bool output_to_null = false;
    int out_fd = -1;     ///< becomes descriptor 1; >= 3, -1: stays as it is, or output_to_null
    int err_fd = -1;     ///< becomes descriptor 2; set together with out_fd
    int cgroup_fd = -1;  ///< of the directory that the child is born in; -1: the daemon's own
    mode_t umask = 022;
    const ChildLimit* limits = nullptr;
    std::size_t limit_count = 0;
    bool set_nice = false;
    int nice = 0;
    bool set_oom_score_adj = true;  ///< false: the daemon's own is what it is to be
    const char* oom_score_adj = "0";
    std::size_t oom_score_adj_length = 1;
    /// Whether a refusal fails the spawn: not for the default, which an ordinary user's daemon inside a
    /// session with a raised score may not set.
    bool oom_score_adj_required = false;
    bool set_groups = false;
    const gid_t* groups = nullptr;
    std::size_t group_count = 0;
    bool set_gid = false;
    gid_t gid = 0;
    bool set_uid = false;
    uid_t uid = 0;
    const char* cwd = "/";
    bool no_new_privs = false;
    std::uint64_t ignored_signals = 0;  ///< bit n-1: signal n is ignored here and not to be in the child
    bool hold = false;                  ///< stay in front of the chdir until killed, for tests
};

/// Shared by the child, the spawn thread that waits in clone3, and whoever watches over both: atomic accesses
/// only.
struct ChildReport {
    std::int32_t abort = 0;   ///< set to make a child that starts end at once
    std::int32_t pidfd = -1;  ///< stored by the kernel before the child runs
    std::int32_t pid = 0;     ///< same
    std::int32_t stage = static_cast<std::int32_t>(core::SpawnStage::clone);
    std::int32_t error = 0;   ///< errno of the failure, 0: none
    std::int32_t tried = -1;  ///< index in paths of what the error of stage exec is about
};

/// Runs the child to its exec or its end and returns then: the pid, or minus an errno where there is no
/// child. `stack_top` is 16-byte aligned, with 16 KiB or more below. `parent_tid` gets the pid before the
/// child runs. The caller has blocked every signal, those of the C library included.
long run_child(const ChildPlan& plan, ChildReport& report, void* stack_bottom, std::size_t stack_size,
               pid_t* parent_tid) noexcept;

}  // namespace vigil::os
