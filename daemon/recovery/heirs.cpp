#include "recovery/heirs.hpp"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "config/describe.hpp"
#include "core/found_run.hpp"
#include "recovery/left_run.hpp"
#include "recovery/stored_spec.hpp"
#include "supervision/task_processes.hpp"

namespace vigil::daemon {
namespace {

/// What the spec store has for it; null: nothing.
const state::StoredSpec* stored_for(const state::Found& found, const Leftovers& leftovers) {
    const auto stored = leftovers.specs.find(found.record.spec);
    const bool there = stored != leftovers.specs.end() && stored->second.name == found.record.task.name;
    return there ? &stored->second : nullptr;
}

}  // namespace

Heirs::Heirs(Leftovers leftovers, const config::Config& config, const os::Features& features,
             RecordBook& book, spdlog::logger& log) {
    std::unordered_map<std::string_view, const core::SpecPtr*> configured;
    for (const core::SpecPtr& spec : config.tasks) configured.emplace(spec->name, &spec);
    for (state::Found& found : leftovers.found) {
        const auto written = configured.find(found.record.task.name);
        const core::SpecPtr* now = written == configured.end() ? nullptr : written->second;
        const state::StoredSpec* const stored = stored_for(found, leftovers);
        // As a rule the text is the same, and there is nothing to be read from it.
        bool same = stored != nullptr && now != nullptr && stored->json == stored_text(**now);
        core::SpecPtr spec = stored != nullptr && !same ? read_stored_spec(*stored, log) : nullptr;
        same = same || (spec && now != nullptr && config::differences(*spec, **now).empty());
        // What is only waited for has nothing left to do by the spec that it was started with.
        const bool awaited = core::is_left_by_shutdown(found.record.task);
        const bool drifted = spec && now != nullptr && !same && !awaited;
        const bool stored_spec = same || (spec && !(awaited && now != nullptr));
        // One spec for all that has it, with the defaults that they share.
        if (now != nullptr && (same || awaited || !spec)) spec = *now;
        if (awaited && now == nullptr) found.record.task.desired = core::Desired::removed;
        if (!spec) {
            log.error("{}: ended and given up, since nothing says how it is to be run",
                      found.record.task.name);
            (void)kill_left_run(found, features);
            book.drop(found);
            continue;
        }
        const auto origin = leftovers.specs.find(found.record.spec);
        const bool from_file = (awaited && now != nullptr) || origin == leftovers.specs.end() ||
                               origin->second.origin == state::SpecOrigin::config;
        tasks_.push_back({std::move(found), std::move(spec), from_file, drifted, stored_spec});
    }
}

std::vector<std::string> Heirs::from_file() const {
    std::vector<std::string> names;
    for (const Heir& heir : tasks_)
        if (heir.from_file) names.push_back(heir.found.record.task.name);
    return names;
}

std::vector<std::string> Heirs::cgroups() const {
    std::vector<std::string> names;
    for (const Heir& heir : tasks_)
        if (core::has_run(heir.found.record.task.state))
            names.push_back(
                os::TaskCgroup::name_of(heir.found.record.task.name, heir.found.record.task.generation));
    return names;
}

std::unordered_set<std::string> Heirs::notify_paths(const Kept& kept) const {
    std::unordered_set<std::string> paths;
    for (const Heir& heir : tasks_) {
        const core::TaskRecord& task = heir.found.record.task;
        if (!core::has_run(task.state)) continue;
        paths.insert(kept.notify_path(task.name, task.generation));
        paths.insert(heir.found.record.run.notify_path);
    }
    return paths;
}

void Heirs::take_over(const Into& into, core::TimePoint now) {
    std::vector<std::pair<core::TaskId, core::Event>> news;
    std::size_t running = 0;
    for (Heir& heir : tasks_) {
        const core::TaskRecord& record = heir.found.record.task;
        const auto task = into.supervisor.adopt(
            heir.spec, record, now, into.goes_on ? core::Adoption::in_place : core::Adoption::after_crash);
        if (!task) {
            into.log.error("{}: is in the state table twice", record.name);
            into.book.drop(heir.found);
            continue;
        }
        into.book.adopt(*task, heir.found, heir.stored ? heir.spec : nullptr);
        if (heir.drifted)
            into.log.warn("{}: goes on as it was started, though the configuration says otherwise by now",
                          record.name);
        for (const core::Generation run : into.kept.runs_with_output(record.name))
            if (!core::has_run(record.state) || run != record.generation)
                into.processes.adopt_output(*task, run, heir.spec, into.kept);
        if (!core::has_run(record.state)) continue;
        const core::FoundRun run = into.processes.adopt(*task, heir.spec, heir.found, into.kept);
        running += run.kind == core::FoundRun::Kind::running ? 1U : 0U;
        // It was asked for and held back: it is begun now.
        if (into.goes_on && run.kind == core::FoundRun::Kind::never_made &&
            record.state == core::StateName::starting) {
            into.processes.spawn({*task, record.generation, heir.spec});
            continue;
        }
        for (core::Event& event : core::news_of(record, run)) news.emplace_back(*task, std::move(event));
    }
    for (auto& [task, event] : news) into.supervisor.handle(task, std::move(event), now);
    if (into.goes_on)
        into.log.info("goes on with {} tasks, {} running", tasks_.size(), running);
    else if (!tasks_.empty())
        into.log.warn(
            "a daemon before this one ended without stopping its tasks: took over {} of them, {} running",
            tasks_.size(), running);
    tasks_.clear();
    for (const std::string& key : into.kept.left()) into.keeping.let_go(key);
    into.kept = {};
    into.book.settle();
}

}  // namespace vigil::daemon
