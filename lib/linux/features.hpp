// Layer linux. What this kernel offers beyond the least we ask for. Found by trying, never by version number
// or header: Debian 12 headers know none of it, and a container may filter calls that its kernel has.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace vigil::os {

/// Optional abilities; every user has another way for when one is missing. A plain value: copy it where it is
/// needed.
struct Features {
    /// PIDFD_SIGNAL_PROCESS_GROUP (Linux 6.9): a group is signalled without naming it by a number.
    bool signal_process_group = false;
    /// PIDFD_GET_INFO with PIDFD_INFO_EXIT (Linux 6.15): how a process ended, after someone else reaped it.
    bool exit_info = false;
    /// /proc/PID/task/TID/children (CONFIG_PROC_CHILDREN): descendants are found without a pass over /proc.
    bool proc_children = false;
    /// cgroup.kill (Linux 5.14) may be used; whether a cgroup has it is found at each use.
    bool cgroup_kill = false;

    /// Turns off "signal-process-group", "exit-info", "proc-children" or "cgroup-kill", so that the other way
    /// can be tested on any kernel.
    /// False for a name that is none of these.
    [[nodiscard]] bool disable(std::string_view name) noexcept;
};

/// Tries each ability. Harmless: starts one short-lived child for the exit status. To be called while the
/// process has one thread. Also works where the calls are filtered; what is refused counts as missing.
[[nodiscard]] Features probe_features();

/// Whether what there is no other way for is there: clone3, close_range, pidfd_open, waitid(P_PIDFD), i.e.
/// Linux 5.9 and no seccomp filter in the way. The error names the call and says what may refuse it.
[[nodiscard]] Result<void> check_required_calls();

}  // namespace vigil::os
