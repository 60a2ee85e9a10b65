// Layer config. What a changed configuration means for what runs: decided here, shown and carried out
// elsewhere. Nothing of the world is touched, so it may be worked out in any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/describe.hpp"
#include "core/spec.hpp"

namespace vigil::config {

/// A task as the supervisor has it.
struct PresentTask {
    core::SpecPtr spec;
    bool at_run_time = false;  ///< added by task.add: no file has it, and a reload leaves it alone
};

struct TaskChange {
    core::SpecPtr before;
    core::SpecPtr after;
    bool restart = false;      ///< some of what differs needs a restart of the task
    bool at_run_time = false;  ///< it was added at run time and is the file's from now on
    std::vector<Difference> fields;
};

struct ReloadPlan {
    std::vector<core::SpecPtr> added;  ///< in the order written
    std::vector<std::string> removed;  ///< in the order of `present`
    std::vector<TaskChange> changed;   ///< in the order written
    std::vector<Difference> daemon;
    std::size_t unchanged = 0;  ///< tasks of the files that stay as they are

    [[nodiscard]] bool empty() const noexcept {
        return added.empty() && removed.empty() && changed.empty() && daemon.empty();
    }
};

/// What has to be done to get from `present` and `settings` to `wanted`. Environment values stand in it in
/// clear.
[[nodiscard]] ReloadPlan plan_reload(const std::vector<PresentTask>& present, const DaemonSettings& settings,
                                     const Config& wanted);

/// Why `wanted` cannot stand beside the tasks that were added at run time: too many of them together, or one
/// log for two. A sentence each; empty when it can. `log_dir` is the running daemon's.
[[nodiscard]] std::vector<std::string> conflicts(const std::vector<PresentTask>& present,
                                                 const Config& wanted, const std::string& log_dir);

/// The settings that hold after a reload: those of `wanted` that change live, the others as they were.
[[nodiscard]] DaemonSettings settings_after(const DaemonSettings& before, const DaemonSettings& wanted);

}  // namespace vigil::config
