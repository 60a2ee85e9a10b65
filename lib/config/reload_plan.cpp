#include "config/reload_plan.hpp"

#include <algorithm>
#include <unordered_map>

#include "core/log_path.hpp"

namespace vigil::config {
namespace {

using ByName = std::unordered_map<std::string_view, const PresentTask*>;

ByName by_name(const std::vector<PresentTask>& tasks) {
    ByName index;
    index.reserve(tasks.size());
    for (const PresentTask& task : tasks) index.emplace(task.spec->name, &task);
    return index;
}

std::unordered_map<std::string_view, const core::TaskSpec*> by_name(const Config& config) {
    std::unordered_map<std::string_view, const core::TaskSpec*> index;
    index.reserve(config.tasks.size());
    for (const core::SpecPtr& spec : config.tasks) index.emplace(spec->name, spec.get());
    return index;
}

}  // namespace

ReloadPlan plan_reload(const std::vector<PresentTask>& present, const DaemonSettings& settings,
                       const Config& wanted) {
    ReloadPlan plan;
    const ByName tasks = by_name(present);
    for (const core::SpecPtr& spec : wanted.tasks) {
        const auto found = tasks.find(spec->name);
        if (found == tasks.end()) {
            plan.added.push_back(spec);
            continue;
        }
        const PresentTask& task = *found->second;
        TaskChange change{task.spec, spec, false, task.at_run_time,
                          differences(*task.spec, *spec, EnvValues::shown)};
        if (change.fields.empty() && !change.at_run_time) {
            ++plan.unchanged;
            continue;
        }
        change.restart = std::any_of(change.fields.begin(), change.fields.end(), [](const Difference& field) {
            return field.change == Change::task_restart;
        });
        plan.changed.push_back(std::move(change));
    }
    const auto names = by_name(wanted);
    for (const PresentTask& task : present)
        if (!task.at_run_time && !names.contains(task.spec->name)) plan.removed.push_back(task.spec->name);
    plan.daemon = differences(settings, wanted.daemon);
    return plan;
}

std::vector<std::string> conflicts(const std::vector<PresentTask>& present, const Config& wanted,
                                   const std::string& log_dir) {
    std::vector<std::string> problems;
    const auto names = by_name(wanted);
    std::unordered_map<std::string, std::string_view> logs;
    std::size_t kept = 0;
    for (const PresentTask& task : present) {
        if (!task.at_run_time || names.contains(task.spec->name)) continue;
        ++kept;
        for (std::string& path : core::log_paths(log_dir, *task.spec))
            logs.emplace(std::move(path), task.spec->name);
    }
    if (kept + wanted.tasks.size() > kMaxTasks)
        problems.push_back("tasks: with the " + std::to_string(kept) +
                           " tasks that were added at run time there are more than " +
                           std::to_string(kMaxTasks));
    if (logs.empty()) return problems;
    for (const core::SpecPtr& spec : wanted.tasks)
        for (const std::string& path : core::log_paths(log_dir, *spec))
            if (const auto owner = logs.find(path); owner != logs.end())
                problems.push_back("tasks." + spec->name + ".output: the log " + path + " is that of task " +
                                   std::string(owner->second) +
                                   ", which was added at run time; give it another output.path");
    return problems;
}

DaemonSettings settings_after(const DaemonSettings& before, const DaemonSettings& wanted) {
    DaemonSettings after = before;
    after.log_level = wanted.log_level;
    after.max_dead_fraction = wanted.max_dead_fraction;
    after.max_starting = wanted.max_starting;
    return after;
}

}  // namespace vigil::config
