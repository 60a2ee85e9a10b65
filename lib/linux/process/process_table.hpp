// Layer linux. /proc, read by pid: for looking at what is left of a task, never on a hot path.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "linux/self/features.hpp"

namespace vigil::os {

/// A process by number and start (clock ticks since boot): the number alone may go to a stranger.
struct ProcessId {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  ///< 0: not known

    friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

/// From /proc/PID/stat, see proc(5).
struct ProcessEntry {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    char state = '?';             ///< R S D Z T ...
    std::uint64_t cpu_ticks = 0;  ///< its own time in user and kernel mode, in units of sysconf(_SC_CLK_TCK)
    unsigned threads = 0;
    bool of_kernel = false;  ///< a thread of the kernel, without program and environment
    bool ending = false;     ///< its first thread is in exit(2) or past it: it shows no environment any more
    std::uint64_t start_time = 0;
    std::string command;  ///< raw, at most 15 bytes

    [[nodiscard]] ProcessId id() const noexcept { return {pid, start_time}; }
    /// A zombie. Not one whose first thread alone has ended: the others go on, and the process with them.
    [[nodiscard]] bool ended() const noexcept { return (state == 'Z' || state == 'X') && threads <= 1; }
};

/// Nothing for a process that is gone, or where /proc is not there or hides it (hidepid).
[[nodiscard]] std::optional<ProcessEntry> read_process(pid_t pid);

/// The environment that a process was last exec'd with, see proc(5), /proc/PID/environ: at most 1 MiB of it.
struct EnvironmentText {
    std::string text;      ///< empty as well where the process has ended or may not be asked
    bool not_yet = false;  ///< it is being exec'd or ends right now, and shows none for a moment: ask again
    bool ending = false;   ///< it ends, so it has had its last child; without not_yet: it has ended

    /// The value of the first variable of that name.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
};
[[nodiscard]] EnvironmentText read_environment(pid_t pid);

struct EnvironmentAnswer {
    std::optional<std::string> value;
    bool not_yet = false;  ///< as in EnvironmentText
    bool ending = false;   ///< as in EnvironmentText
};
/// One variable of it.
[[nodiscard]] EnvironmentAnswer read_environment_variable(pid_t pid, std::string_view name);

/// Every process but those that `skip` says it of, one pass over /proc. A snapshot: any of them may be gone
/// or recycled when it is used, and one that was forked after its number's turn is not there, though its
/// parent may be gone when its own turn comes. False: some could not be looked at (EMFILE, ENOMEM).
bool for_each_process(const std::function<void(ProcessEntry)>& visit,
                      const std::function<bool(pid_t)>& skip = {});

/// The numbers in a children file, see proc(5), /proc/PID/task/TID/children.
[[nodiscard]] std::vector<pid_t> parse_pids(std::string_view text);

/// `roots` and everything below them, zombies included, parents before their children. With
/// Features::proc_children O(what is found), else one pass over /proc. A process that forks or ends meanwhile
/// may be missed or shown: look again.
[[nodiscard]] std::vector<ProcessEntry> processes_below(std::span<const ProcessId> roots,
                                                        const Features& features);

}  // namespace vigil::os
