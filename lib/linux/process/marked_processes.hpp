// Layer linux. Processes of runs that no record leads to, found by what the spawner writes into the
// environment of every process: one pass over /proc, for the start after a crash and never on a hot path.
//
// A process can change what its environment shows, and one of another user can have been given any: whether a
// mark is to be believed is for the caller to decide.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/state.hpp"
#include "linux/process/process_table.hpp"

namespace vigil::os {

/// The marks in an environment.
struct RunMarks {
    std::string runtime_dir;  ///< VIGIL_RUNTIME_DIR; of a run without it, what NOTIFY_SOCKET tells
    std::string task;
    core::Generation generation{};
    std::string invocation;   ///< 32 hexadecimal digits
    std::string notify_path;  ///< empty: none
};
/// Nothing unless it is marked as a whole.
[[nodiscard]] std::optional<RunMarks> read_marks(const EnvironmentText& environment);

struct MarkedProcess {
    RunMarks marks;
    ProcessEntry entry;
    uid_t uid = 0;  ///< its real one
    std::string
        cgroup;  ///< in the hierarchy of version 2, from its root: "/vigil/tasks/web.3"; empty: unknown

    /// It leads a session, as the first process of each run does.
    [[nodiscard]] bool leads() const noexcept { return entry.session == entry.pid; }
};

/// One run, as far as it was found.
struct MarkedRun {
    /// The processes with its invocation, at least one.
    std::vector<MarkedProcess> processes;
    /// Of those that lead a session the one that was there first, and so the one that was spawned; null: it
    /// has ended.
    [[nodiscard]] const MarkedProcess* leader() const noexcept;
};

/// Everything alive that bears marks of this runtime directory. A child that has not come to its exec shows
/// no marks yet and is waited for, a second at most.
[[nodiscard]] std::vector<MarkedProcess> find_marked(std::string_view runtime_dir);

/// By invocation, in no particular order.
[[nodiscard]] std::vector<MarkedRun> group_by_run(std::vector<MarkedProcess> processes);

/// Everything alive whose VIGIL_INVOCATION is one of these, each with its own. Whoever is in the middle of an
/// exec is waited for, a second at most.
[[nodiscard]] std::vector<std::pair<ProcessEntry, std::string>> find_invocations(
    const std::unordered_set<std::string>& invocations);

/// As MarkedProcess::cgroup, of this process.
[[nodiscard]] std::string own_cgroup_path();

}  // namespace vigil::os
