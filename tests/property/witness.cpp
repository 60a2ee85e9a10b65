#include "property/witness.hpp"

#include <tuple>
#include <utility>

namespace vigil::core::simulation {
namespace {

using Phase = Process::Phase;

/// How long a run may take from the first request to end until SIGKILL.
Duration allowed(const TaskSpec& spec) {
    Duration sum = spec.stop.timeout;
    for (const StopStep& step : spec.stop.further) sum += step.wait;
    return sum;
}

bool starts(const Event& order) {
    return std::holds_alternative<event::Start>(order) || std::holds_alternative<event::Restart>(order);
}

bool ends(const Event& order) {
    return std::holds_alternative<event::Stop>(order) || std::holds_alternative<event::Kill>(order) ||
           std::holds_alternative<event::Remove>(order);
}

/// What a record says that is not a time, in a form that compares.
auto essence(const TaskRecord& record) {
    return std::make_tuple(record.name, record.state, record.desired, record.cause.kind.index(),
                           record.generation, record.runs, record.paused, record.main_pid, record.said_ready,
                           record.host_faults, record.why.kind.index(), record.ordered, record.forced,
                           record.killed, record.ended, record.status_text, record.heartbeat_timeout);
}

/// All that an event could change, in a form that compares.
auto essence(const TaskReport& report) {
    return std::make_tuple(report.state, report.paused, report.desired, report.waiting_turn,
                           report.cause->kind.index(), report.pid, report.generation, report.attempts,
                           report.restarts_total, report.last_heartbeat_age, report.heartbeat_timeout,
                           report.next_start_in, report.kill_in, std::string(report.status_text),
                           report.notified_errno);
}

}  // namespace

void Witness::require(bool kept, const char* promise, TaskId task) {
    if (kept || !broken_.empty()) return;
    broken_ = std::string(promise) + " (task " + std::to_string(static_cast<std::uint32_t>(task)) + ")";
}

void Witness::spawn(const effect::Spawn& effect) {
    may_crash();
    const Known& task = known_[effect.task];
    require(task.state == StateName::starting && task.generation == effect.generation,
            "a spawn is announced before it is asked for", effect.task);
    require(task.may_start || effect.generation <= task.ordered_up_to,
            "nothing starts after a stop, kill or remove", effect.task);
    require(!shutting_down_ || effect.generation <= task.ordered_up_to, "nothing starts during a shutdown",
            effect.task);
    for (const auto& [key, process] : world_.processes())
        require(key.first != effect.task, "a task has at most one run at a time", effect.task);
    require(task.spec == nullptr || effect.generation <= task.respecced_at || effect.spec == task.spec,
            "a run has the spec that was given last", effect.task);
    known_[effect.task].end_is_ordered = false;
    world_.spawn(effect);
    // It was given another while this was on its way.
    if (task.spec != nullptr) world_.find(effect.task, effect.generation)->spec = task.spec;
}

void Witness::signal(const effect::Signal& effect) {
    may_crash();
    const Process* process = world_.find(effect.task, effect.generation);
    require(process != nullptr, "no signal goes to a run that is over", effect.task);
    require(known_[effect.task].state == StateName::stopping,
            "a signal to end is announced before it is sent", effect.task);
    const auto [ending, first] = endings_.try_emplace({effect.task, effect.generation});
    require(process == nullptr || !process->frozen, "a task is thawed before it is asked to end",
            effect.task);
    if (process != nullptr && (first || ending->second.killed))
        ending->second = {Duration{}, allowed(*process->spec), false, true};
    world_.signal(effect);
}

void Witness::run_stop_command(const effect::RunStopCommand& effect) {
    may_crash();
    const Process* process = world_.find(effect.task, effect.generation);
    require(process != nullptr && process->pid != 0 && effect.main_pid != 0,
            "a command to stop is run for a main process that there is", effect.task);
    require(known_[effect.task].state == StateName::stopping,
            "stopping is announced before the command is run", effect.task);
    require(process == nullptr || !process->frozen, "a task is thawed before it is asked to end",
            effect.task);
    require(process == nullptr || !process->stop_command_runs, "one command to stop runs at a time",
            effect.task);
    if (process != nullptr)
        endings_[{effect.task, effect.generation}] = {Duration{}, allowed(*process->spec), false, true};
    world_.run_stop_command(effect);
}

void Witness::kill_tree(const effect::KillTree& effect) {
    may_crash();
    require(world_.find(effect.task, effect.generation) != nullptr, "no SIGKILL goes to a run that is over",
            effect.task);
    endings_[{effect.task, effect.generation}].killed = true;
    world_.kill_tree(effect);
}

void Witness::freeze(const effect::Freeze& effect) {
    may_crash();
    const Process* process = world_.find(effect.task, effect.generation);
    require(process != nullptr && process->frozen != effect.frozen,
            "freeze and thaw take turns on a live run", effect.task);
    // Of the time up to this turn it was frozen for some part.
    const auto ending = endings_.find({effect.task, effect.generation});
    if (ending != endings_.end()) ending->second.fresh = true;
    world_.freeze(effect);
}

void Witness::release(const effect::Release& effect) {
    may_crash();
    const Process* process = world_.find(effect.task, effect.generation);
    require(process != nullptr, "a run is released once", effect.task);
    require(process == nullptr || process->phase == Phase::gone,
            "a run is over only when nothing of it lives", effect.task);
    endings_.erase({effect.task, effect.generation});
    world_.release(effect);
}

void Witness::announce(const effect::Announce& effect) {
    may_crash();
    if (!effect.from) {
        const auto adopted = adopted_.extract(effect.task);
        known_.insert_or_assign(effect.task, adopted ? adopted.mapped() : Known{});
    }
    Known& task = known_[effect.task];
    require(task.state == effect.from, "an announcement goes on where the last one ended", effect.task);
    const bool run_ended =
        effect.from && has_run(*effect.from) && !(effect.to && has_run(*effect.to));
    if (run_ended && task.end_is_ordered)
        require(effect.attempts <= task.attempts, "an ordered end spends no attempt", effect.task);
    const auto* silence = std::get_if<cause::HeartbeatTimeout>(&effect.cause.kind);
    const Process* process = world_.find(effect.task, effect.generation);
    if (silence != nullptr && effect.from && effect.to == StateName::stopping && process != nullptr && process->heard_at)
        require(world_.read_at() - *process->heard_at >= silence->timeout,
                "no task is ended for a silence that it broke in time", effect.task);
    task.state = effect.to;
    task.generation = effect.generation;
    task.attempts = effect.attempts;
}

void Witness::finished(const effect::Finished& effect) {
    ++finished_;
    require(finished_ == 1, "a shutdown finishes once", TaskId{});
    require(shutting_down_, "only a shutdown finishes", TaskId{});
    require(world_.processes().size() == effect.left, "a shutdown says what is left when it finishes",
            TaskId{});
    for (const auto& [key, process] : world_.processes())
        require(endings_[key].killed, "only what SIGKILL does not end is left", key.first);
}

void Witness::order(TaskId task, Event order, TimePoint now) {
    const auto before = supervisor_.report(task, now);
    if (!before) return;
    const bool start = starts(order);
    const bool end = ends(order);
    const bool removing = before->desired == Desired::removed;
    if (start && !removing && !shutting_down_) known_[task].may_start = true;
    if (end) {
        known_[task].may_start = false;
        known_[task].ordered_up_to = before->generation;
    }
    const bool start_of_running =
        std::holds_alternative<event::Start>(order) &&
        (before->state == StateName::starting || before->state == StateName::healthy);
    if (has_run(before->state) &&
        (end || (start && !start_of_running && before->pid != 0 && !shutting_down_)))
        known_[task].end_is_ordered = true;
    const auto* respec = std::get_if<event::NewSpec>(&order);
    if (respec != nullptr && !shutting_down_) change_spec(task, *respec, *before);
    const bool replaced = respec != nullptr && respec->restart && !shutting_down_ &&
                          before->desired == Desired::up &&
                          (has_run(before->state) || before->state == StateName::failed);
    const bool stays = respec != nullptr && !replaced && before->state != StateName::created &&
                       before->state != StateName::failed;
    supervisor_.handle(task, std::move(order), now);
    const auto after = supervisor_.report(task, now);
    require(respec == nullptr || after, "a new spec removes no task", task);
    if (!after) return;
    require(after->attempts <= before->attempts, "an order never spends the budget", task);
    require(!stays || (after->state == before->state && after->desired == before->desired &&
                       after->generation == before->generation),
            "a new spec that needs no restart leaves a task where it is", task);
    if (replaced) require(after->desired == Desired::up, "a task that restarts is wanted up", task);
    if (start && !start_of_running && !removing && !shutting_down_)
        require(after->attempts == 0, "a start or restart gives the budget back", task);
    if (start && !removing && !shutting_down_)
        require(after->desired == Desired::up, "a start or restart is what is desired", task);
}

/// A run keeps the program that it was started with, but is ended by the rule of its new spec.
void Witness::change_spec(TaskId task, const event::NewSpec& order, const TaskReport& before) {
    known_[task].spec = order.spec;
    known_[task].respecced_at = before.generation;
    if (order.restart && before.desired == Desired::up && has_run(before.state))
        known_[task].end_is_ordered = true;
    Process* process = world_.find(task, before.generation);
    if (process != nullptr) process->spec = order.spec;
    const auto ending = endings_.find({task, before.generation});
    if (ending != endings_.end()) ending->second.allowed += allowed(*order.spec);
}

void Witness::forge(TaskId task, Event event, TimePoint now) {
    const auto before = supervisor_.report(task, now);
    if (!before) return;
    const auto essence_before = essence(*before);
    const TimePoint due = supervisor_.next_deadline();
    supervisor_.handle(task, std::move(event), now);
    const auto after = supervisor_.report(task, now);
    require(after && essence(*after) == essence_before, "a stale generation changes no task", task);
    require(supervisor_.next_deadline() == due, "a stale generation moves no deadline", task);
    require(supervisor_.take_effects().empty(), "a stale generation has no effect", task);
}

void Witness::shut_down(bool kill, TimePoint now) {
    if (!shutting_down_)
        for (auto& [id, task] : known_)
            if (const auto report = supervisor_.report(id, now)) task.ordered_up_to = report->generation;
    shutting_down_ = true;
    supervisor_.shut_down(0, kill, now);
}

void Witness::look(TimePoint now, Duration passed) {
    std::size_t starting = 0;
    std::vector<std::size_t> counts(std::variant_size_v<State>);
    for (const TaskId id : supervisor_.ids_by_name()) look_at(id, now, starting, counts);
    require(counts == supervisor_.count_by_state(), "counts are what counting finds", TaskId{});
    require(starting <= max_starting_, "no more tasks are starting than may be", TaskId{});
    for (const auto& [key, process] : world_.processes()) {
        const auto report = supervisor_.report(key.first, now);
        require(report && report->generation == key.second && has_run(report->state),
                "no process is ever forgotten", key.first);
        const auto ending = endings_.find(key);
        if (ending == endings_.end() || process.frozen || process.asked_for_time) continue;
        if (!std::exchange(ending->second.fresh, false)) ending->second.waited += passed;
        require(ending->second.killed || ending->second.waited <= ending->second.allowed + kAwayThreshold,
                "SIGKILL is asked for when the stop time is over", key.first);
    }
}

void Witness::look_at(TaskId id, TimePoint now, std::size_t& starting, std::vector<std::size_t>& counts) {
    const TaskReport report = *supervisor_.report(id, now);
    ++counts[static_cast<std::size_t>(report.state)];
    if (report.state == StateName::starting && (*report.spec)->ready.on != ReadyOn::exec) ++starting;
    if (report.max_attempts)
        require(report.attempts <= *report.max_attempts, "attempts never exceed their maximum", id);
    const auto written = records_.find(id);
    require(written != records_.end() && essence(written->second.record) == essence(*supervisor_.record(id)),
            "what has changed is written down", id);
    require(known_[id].state == report.state, "every change of state is announced", id);
    require(has_run(report.state) == (world_.find(id, report.generation) != nullptr),
            "a state with a process has one, any other has none", id);
    require(!report.waiting_turn || report.state == StateName::created || report.state == StateName::failed,
            "only an idle task waits for its turn", id);
    require(
        report.state != StateName::failed || !report.waiting_turn || report.next_start_in == Duration::zero(),
        "a task whose turn is awaited is due", id);
}

}  // namespace vigil::core::simulation
