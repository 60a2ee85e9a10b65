// What an order may do at once, and what it may not.
#include <algorithm>
#include <tuple>
#include <utility>

#include "simulation/witness.hpp"

namespace vigil::core::simulation {
namespace {

bool starts(const Event& order) {
    return std::holds_alternative<event::Start>(order) || std::holds_alternative<event::Restart>(order);
}

bool ends(const Event& order) {
    return std::holds_alternative<event::Stop>(order) || std::holds_alternative<event::Kill>(order) ||
           std::holds_alternative<event::Remove>(order);
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

void Witness::add(SpecPtr spec, TimePoint now) {
    expect(now);
    const bool exists = parts_.supervisor.find(spec->name).has_value();
    const bool autostart = spec->autostart;
    const auto added = parts_.supervisor.add(std::move(spec), now);
    parts_.promises.require(added.ok() == (!exists && !shutting_down_),
                            "a name that exists is refused, any other is not");
    if (!added) return;
    for (const auto& [key, process] : parts_.world.processes())
        require(key.first != *added || process.phase == Process::Phase::gone,
                "a name is free only when nothing of its run is left", *added);
    Known task;
    task.wanted = autostart ? Desired::up : Desired::stopped;
    task.touched = true;
    added_.insert_or_assign(*added, std::move(task));
}

Witness::Known& Witness::latest(TaskId task) {
    const auto added = added_.find(task);
    return added != added_.end() ? added->second : known_[task];
}

/// What is desired from now on. The last order decides, except that a removal is final, that nothing is done
/// to a task that is where the order wants it, and that a shutdown takes nothing from what an operator has
/// decided.
void Witness::want(TaskId task, const Event& order, const TaskReport& before) {
    Known& known = latest(task);
    const StateName state = before.state;
    const bool idle =
        state == StateName::completed || state == StateName::stopped || state == StateName::dead;
    if (known.wanted == Desired::removed) return;
    if (starts(order) && !shutting_down_) known.wanted = Desired::up;
    if (std::holds_alternative<event::Stop>(order) && !idle) known.wanted = Desired::stopped;
    if (std::holds_alternative<event::Kill>(order) && state != StateName::dead) known.wanted = Desired::dead;
    if (std::holds_alternative<event::Remove>(order)) known.wanted = Desired::removed;
    const auto* respec = std::get_if<event::NewSpec>(&order);
    if (respec == nullptr || shutting_down_ || state != StateName::created || before.waiting_turn) return;
    if (!(*before.spec)->autostart && respec->spec->autostart) known.wanted = Desired::up;
}

void Witness::order(TaskId task, Event order, TimePoint now) {
    expect(now);
    const auto before = parts_.supervisor.report(task, now);
    if (!before) return;
    const bool start = starts(order);
    const bool end = ends(order);
    const bool removing = before->desired == Desired::removed;
    want(task, order, *before);
    Known& known = latest(task);
    known.touched = true;
    if (start && !removing && !shutting_down_) known.may_start = true;
    if (end) {
        known.may_start = false;
        known.ordered_up_to = before->generation;
    }
    const bool start_of_running =
        std::holds_alternative<event::Start>(order) &&
        (before->state == StateName::starting || before->state == StateName::healthy);
    if (has_run(before->state) &&
        (end || (start && !start_of_running && before->pid != 0 && !shutting_down_)))
        known.end_is_ordered = true;
    const auto* respec = std::get_if<event::NewSpec>(&order);
    if (respec != nullptr && !shutting_down_) change_spec(task, *respec, *before);
    const bool replaced = respec != nullptr && respec->restart && !shutting_down_ &&
                          before->desired == Desired::up &&
                          (has_run(before->state) || before->state == StateName::failed);
    const bool stays = respec != nullptr && !replaced && before->state != StateName::created &&
                       before->state != StateName::failed;
    parts_.supervisor.handle(task, std::move(order), now);
    const auto after = parts_.supervisor.report(task, now);
    require(respec == nullptr || after, "a new spec removes no task", task);
    if (!after) return;
    require(after->attempts <= before->attempts, "an order never spends the budget", task);
    require(!stays || (after->state == before->state && after->desired == before->desired &&
                       after->generation == before->generation),
            "a new spec that needs no restart leaves a task where it is", task);
    if (replaced) require(after->desired == Desired::up, "a task that restarts is wanted up", task);
    if (start && !start_of_running && !removing && !shutting_down_)
        require(after->attempts == 0, "a start or restart gives the budget back", task);
    require(after->desired == known.wanted, "what was ordered last is what is desired", task);
}

/// A run keeps the program that it was started with, but is ended by the rule of its new spec.
void Witness::change_spec(TaskId task, const event::NewSpec& order, const TaskReport& before) {
    Known& known = latest(task);
    known.spec = order.spec;
    known.respecced_at = before.generation;
    if (order.restart && before.desired == Desired::up && has_run(before.state)) known.end_is_ordered = true;
    Process* process = parts_.world.find(task, before.generation);
    if (process != nullptr) {
        process->spec = order.spec;
        process->sign_is_exact = false;
    }
    const auto ending = endings_.find({task, before.generation});
    if (ending != endings_.end()) ending->second.allowed += time_to_sigkill(*order.spec);
}

void Witness::forge(TaskId task, Event event, TimePoint now) {
    const auto before = parts_.supervisor.report(task, now);
    if (!before) return;
    const auto essence_before = essence(*before);
    const TimePoint due = parts_.supervisor.next_deadline();
    parts_.supervisor.handle(task, std::move(event), now);
    const auto after = parts_.supervisor.report(task, now);
    require(after && essence(*after) == essence_before, "a stale generation changes no task", task);
    require(parts_.supervisor.next_deadline() == due, "a stale generation moves no deadline", task);
    require(parts_.supervisor.take_effects().empty(), "a stale generation has no effect", task);
}

void Witness::shut_down(bool kill, TimePoint now) {
    expect(now);
    for (const TaskId id : parts_.supervisor.ids_by_name()) {
        Known& task = latest(id);
        task.touched = true;
        const auto report = parts_.supervisor.report(id, now);
        if (!report) continue;
        if (!shutting_down_) task.ordered_up_to = report->generation;
        if (has_run(report->state)) task.end_is_ordered = true;
        // Of those that an operator has decided on already nothing else is wanted now.
        if (task.wanted == Desired::up) want(id, event::Stop{}, *report);
    }
    shutting_down_ = true;
    parts_.supervisor.shut_down(0, kill, now);
}

void Witness::set_max_starting(unsigned max_starting) {
    // What started under the old rule in this very turn is not stopped for the new one.
    last_starting_ = std::max<std::size_t>(last_starting_, rules_.max_starting);
    rules_.max_starting = max_starting;
    parts_.supervisor.set_rules(max_starting, std::nullopt);
}

std::optional<Desired> Witness::wanted(TaskId task) const {
    const auto known = known_.find(task);
    if (known == known_.end()) return std::nullopt;
    return known->second.wanted;
}

}  // namespace vigil::core::simulation
