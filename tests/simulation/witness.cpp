#include "simulation/witness.hpp"

#include <utility>

namespace vigil::core::simulation {
namespace {

using Phase = Process::Phase;

}  // namespace

void Witness::may_crash() {
    if (!crash_after_ || (*crash_after_)-- > 0) return;
    crash_after_.reset();
    throw Crash{};
}

void Witness::tell(TaskId task, const std::string& what) {
    if (!parts_.promises.telling()) return;
    const SpecPtr* spec = parts_.supervisor.spec(task);
    parts_.promises.tell(
        "    -> " + (spec != nullptr ? (*spec)->name : "#" + std::to_string(static_cast<unsigned>(task))) +
        ": " + what);
}

void Witness::write(TaskId task, const TaskRecord& record, const SpecPtr& spec) {
    may_crash();
    parts_.book.write(task, record, spec);
    if (Process* process = parts_.world.find(task, record.generation)) process->untold = false;
}

void Witness::erase(TaskId task) {
    may_crash();
    parts_.book.erase(task);
}

void Witness::spawn(const effect::Spawn& effect) {
    may_crash();
    tell(effect.task, "spawn");
    const Known& task = known_[effect.task];
    const TaskRecord* record = parts_.book.given(effect.task);
    require(record != nullptr && record->generation == effect.generation,
            "what is to be made is written down before it is made", effect.task);
    require(task.state == StateName::starting && task.generation == effect.generation,
            "a spawn is announced before it is asked for", effect.task);
    require(task.may_start || effect.generation <= task.ordered_up_to,
            "nothing starts after a stop, kill or remove", effect.task);
    require(!shutting_down_ || effect.generation <= task.ordered_up_to, "nothing starts during a shutdown",
            effect.task);
    for (const auto& [key, process] : parts_.world.processes())
        require(key.first != effect.task, "a task has at most one run at a time", effect.task);
    require(task.spec == nullptr || effect.generation <= task.respecced_at || effect.spec == task.spec,
            "a run has the spec that was given last", effect.task);
    require(effect.generation > last_generations_[effect.task], "a generation is given once in a place",
            effect.task);
    last_generations_[effect.task] = effect.generation;
    known_[effect.task].end_is_ordered = false;
    parts_.world.spawn(effect);
    // It was given another while this was on its way.
    if (task.spec != nullptr) parts_.world.find(effect.task, effect.generation)->spec = task.spec;
}

void Witness::signal(const effect::Signal& effect) {
    may_crash();
    tell(effect.task, "signal " + std::to_string(effect.signal));
    const Process* process = parts_.world.find(effect.task, effect.generation);
    require(process != nullptr, "no signal goes to a run that is over", effect.task);
    require(known_[effect.task].state == StateName::stopping,
            "a signal to end is announced before it is sent", effect.task);
    const auto [ending, first] = endings_.try_emplace({effect.task, effect.generation});
    require(process == nullptr || !process->frozen, "a task is thawed before it is asked to end",
            effect.task);
    if (process != nullptr && (first || ending->second.killed))
        ending->second = {Duration{}, time_to_sigkill(*process->spec), false, true};
    parts_.world.signal(effect);
}

void Witness::run_stop_command(const effect::RunStopCommand& effect) {
    may_crash();
    tell(effect.task, "run stop.command");
    const Process* process = parts_.world.find(effect.task, effect.generation);
    require(process != nullptr && process->reported && effect.main_pid != 0,
            "a command to stop is run for a main process that there is", effect.task);
    require(known_[effect.task].state == StateName::stopping,
            "stopping is announced before the command is run", effect.task);
    require(process == nullptr || !process->frozen, "a task is thawed before it is asked to end",
            effect.task);
    require(process == nullptr || !process->stop_command_runs, "one command to stop runs at a time",
            effect.task);
    if (process != nullptr)
        endings_[{effect.task, effect.generation}] = {Duration{}, time_to_sigkill(*process->spec), false,
                                                      true};
    parts_.world.run_stop_command(effect);
}

void Witness::kill_tree(const effect::KillTree& effect) {
    may_crash();
    tell(effect.task, "SIGKILL to its tree");
    require(parts_.world.find(effect.task, effect.generation) != nullptr,
            "no SIGKILL goes to a run that is over", effect.task);
    require(known_[effect.task].state == StateName::stopping, "SIGKILL is announced before it is sent",
            effect.task);
    endings_[{effect.task, effect.generation}].killed = true;
    parts_.world.kill_tree(effect);
}

void Witness::freeze(const effect::Freeze& effect) {
    may_crash();
    tell(effect.task, effect.frozen ? "freeze" : "thaw");
    const Process* process = parts_.world.find(effect.task, effect.generation);
    require(process != nullptr && process->frozen != effect.frozen,
            "freeze and thaw take turns on a live run", effect.task);
    // Of the time up to this turn it was frozen for some part.
    const auto ending = endings_.find({effect.task, effect.generation});
    if (ending != endings_.end()) ending->second.fresh = true;
    parts_.world.freeze(effect);
}

void Witness::release(const effect::Release& effect) {
    may_crash();
    tell(effect.task, "release run " + std::to_string(static_cast<std::uint64_t>(effect.generation)));
    const Process* process = parts_.world.find(effect.task, effect.generation);
    require(process != nullptr, "a run is released once", effect.task);
    require(process == nullptr || process->phase == Phase::gone,
            "a run is over only when nothing of it lives", effect.task);
    endings_.erase({effect.task, effect.generation});
    parts_.world.release(effect);
}

void Witness::announce(const effect::Announce& effect) {
    may_crash();
    tell(effect.task, (effect.from ? std::string(to_string(*effect.from)) : "new") + " => " +
                          (effect.to ? std::string(to_string(*effect.to)) : "gone") +
                          (explain(effect.cause).empty() ? "" : " (" + explain(effect.cause) + ")"));
    if (!effect.from)
        if (const auto added = added_.extract(effect.task))
            known_.insert_or_assign(effect.task, added.mapped());
    Known& task = known_[effect.task];
    require(task.state == effect.from, "an announcement goes on where the last one ended", effect.task);
    const bool run_ended = effect.from && has_run(*effect.from) && !(effect.to && has_run(*effect.to));
    if (run_ended && task.end_is_ordered)
        require(effect.attempts <= task.attempts, "an ordered end spends no attempt", effect.task);
    const bool same_run = effect.to && has_run(*effect.to) && effect.generation == task.generation;
    if (effect.from && has_run(*effect.from) && !same_run)
        require(parts_.world.find(effect.task, task.generation) == nullptr,
                "who is told of an end finds nothing left of the run", effect.task);
    if (effect.to == StateName::healthy)
        if (Process* process = parts_.world.find(effect.task, effect.generation);
            process != nullptr && effect.from)
            process->sign_at = process->frozen ? process->frozen_at : supervised(called_);
    if (const auto* silence = std::get_if<cause::HeartbeatTimeout>(&effect.cause.kind))
        judge_silence(effect, *silence);
    judge_failure(effect, task);
    task.state = effect.to;
    task.generation = effect.generation;
    task.attempts = effect.attempts;
    parts_.clients.observe(effect);
    if (!effect.to) known_.erase(effect.task);
}

void Witness::finished(const effect::Finished& effect) {
    ++finished_;
    const auto& processes = parts_.world.processes();
    require(finished_ == 1, "a shutdown finishes once", TaskId{});
    require(shutting_down_, "only a shutdown finishes", TaskId{});
    require(processes.size() == effect.left, "a shutdown says what is left when it finishes", TaskId{});
    for (const auto& [key, process] : processes)
        require(endings_[key].killed, "only what SIGKILL does not end is left", key.first);
}

}  // namespace vigil::core::simulation
