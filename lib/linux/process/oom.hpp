// Layer linux. Whether a process was ended by the kernel for want of memory: a SIGKILL says nothing about who
// sent it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "linux/cgroup/cgroup.hpp"

namespace vigil::os {

/// Made before the first task starts; keeps the place in the kernel's log.
class OomWatch {
  public:
    OomWatch();

    /// To be asked once for a main process that was ended by a SIGKILL which we did not send. By the task's
    /// cgroup, where the memory controller is on; else by the host's counter and the kernel's log. False as
    /// well where the log is not ours to read, or numbers pids otherwise than we do (a pid namespace).
    [[nodiscard]] bool killed(pid_t pid, const TaskCgroup& cgroup);

  private:
    void read_log();

    UniqueFd log_;  ///< /dev/kmsg
    std::optional<std::uint64_t> kills_;
    std::vector<pid_t> named_;  ///< in the log and not asked for yet, the latest last
};

/// The pid in a line of the kernel's log that tells of such an end, see __oom_kill_process() in
/// mm/oom_kill.c.
[[nodiscard]] std::optional<pid_t> find_oom_victim(std::string_view line);

}  // namespace vigil::os
