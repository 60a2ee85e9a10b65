// Layer linux. /proc, read by pid: for looking at what is left of a task, never on a hot path.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace vigil::os {

/// From /proc/PID/stat, see proc(5).
struct ProcessEntry {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    char state = '?';              ///< R S D Z T ...
    std::uint64_t start_time = 0;  ///< clock ticks since boot; with the pid it names a process, nearly
    std::string command;           ///< raw, at most 15 bytes
};

/// Nothing for a process that is gone, or where /proc is not there or hides it (hidepid).
[[nodiscard]] std::optional<ProcessEntry> read_process(pid_t pid);

/// Every process of session `session` or process group `session`, zombies included, in no order. O(all
/// processes). A snapshot: any of them may be gone or recycled by the time it is used.
[[nodiscard]] std::vector<ProcessEntry> processes_of_session(pid_t session);

/// The ids of all sessions and process groups that have a process, zombies included. One pass over /proc:
/// cheaper than asking for one session after the other.
[[nodiscard]] std::unordered_set<pid_t> occupied_sessions();

}  // namespace vigil::os
