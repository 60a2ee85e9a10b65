// Layer linux. What this kernel offers beyond the least we ask for. Found by trying, never by version number
// or header: Debian 12 headers know none of it, and a container may filter calls that its kernel has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
    /// The inode of a pidfd is unique in a boot (Linux 6.9): a process is known again by a number that is
    /// never reused.
    bool pidfd_inode = false;
    /// cgroup.kill (Linux 5.14) may be used; whether a cgroup has it is found at each use.
    bool cgroup_kill = false;

    /// No ability of the kernel, but switched like one: vigil-keeper is used.
    bool keeper = true;

    /// Turns off the one of that name, so that the other way can be tested on any kernel. False where there
    /// is none.
    [[nodiscard]] bool disable(std::string_view name) noexcept;

    struct Report {
        std::string_view name;   ///< "signal-process-group"
        std::string_view state;  ///< "found", "missing" or "disabled"
    };
    /// All of them, in a fixed order.
    [[nodiscard]] std::vector<Report> report() const;

  private:
    std::uint32_t disabled_ = 0;  ///< a bit for each place in the list of names
};
/// "signal-process-group, exit-info, ...": what may be disabled.
[[nodiscard]] std::string feature_names();

/// Tries each ability. Harmless: starts one short-lived child for the exit status. To be called while the
/// process has one thread. Also works where the calls are filtered; what is refused counts as missing.
[[nodiscard]] Features probe_features();

/// Whether what there is no other way for is there: clone3, close_range, pidfd_open, waitid(P_PIDFD), i.e.
/// Linux 5.9 and no seccomp filter in the way. The error names the call and says what may refuse it.
[[nodiscard]] Result<void> check_required_calls();

}  // namespace vigil::os
