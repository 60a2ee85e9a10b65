// What the process of a task does, what it says, and what becomes of it when its time is up.
#include <algorithm>
#include <utility>

#include "core/restart_policy.hpp"
#include "core/task.hpp"

namespace vigil::core {

void Task::came_up(event::Spawned& event, Turn& turn) {
    auto& starting = std::get<state::Starting>(state_);
    if (starting.run.main_pid != 0) return answered_already(event, turn);
    starting.run.main_pid = event.pid;
    if (spec_->ready.timeout)
        starting.ready_due =
            std::max(add_saturating(turn.now, *spec_->ready.timeout), starting.early.ready_due);
    const state::Early early = starting.early;
    const ReadyOn on = spec_->ready.on;
    if (on == ReadyOn::exec || early.ready) become_healthy(turn);
    heed(early.trigger, early.stopping, turn);
}

/// The run was ordered to end before its Spawned was read, so that SIGKILL was asked for at once. It may have
/// been too early to find a process; now there is one, with its program in place, to be ended by the stop
/// rule.
void Task::came_up_late(event::Spawned& event, Turn& turn) {
    if (stopping().run.main_pid != 0) return answered_already(event, turn);
    stopping().run.main_pid = event.pid;
    stopping().forced ? kill_tree(turn) : ask_by_rule(turn);
}

void Task::not_made(event::SpawnFailed& event, Turn& turn) {
    const auto& starting = std::get<state::Starting>(state_);
    if (starting.run.main_pid != 0) return answered_already(event, turn);
    const int error = event.failure.error;
    Cause why{cause::SpawnFailed{std::move(event.failure)}};
    if (!is_host_fault(error)) return judge_end_of_run(std::move(why), std::nullopt, turn);
    const unsigned faults = starting.host_faults + 1;
    enter(state::Failed{add_saturating(turn.now, host_fault_delay(faults, error)), faults}, std::move(why),
          turn);
}

void Task::not_made_late(event::SpawnFailed& event, Turn& turn) {
    if (stopping().run.main_pid != 0) return answered_already(event, turn);
    tree_gone(turn);
}

void Task::main_ended(event::Exited& event, Turn& turn) {
    note_exit(event.status, event.usage, turn);
    Cause why = event.out_of_memory ? Cause{cause::OutOfMemory{}} : cause_of(event.status);
    if (event.tree_empty) return judge_end_of_run(std::move(why), event.status, turn);
    thaw(turn);
    begin_stopping(std::move(why), false, turn);
    stopping().ended = event.status;
    stopping().asked = true;
    send(spec_->stop->signal, effect::SignalTarget::tree, turn);
}

void Task::main_ended_stopping(event::Exited& event, Turn& turn) {
    state::Stopping& state = stopping();
    if (!state.ended) {
        note_exit(event.status, event.usage, turn);
        state.ended = event.status;
        if (event.out_of_memory && !state.ordered && std::holds_alternative<cause::None>(state.why.kind))
            state.why = {cause::OutOfMemory{}};
    }
    if (event.tree_empty) return tree_gone(turn);
    thaw(turn);
    if (state.killed) return;
    // Processes that the main one left behind are told to end as well, unless they were before.
    const bool group_asked =
        state.asked && spec_->stop->to == StopTarget::group && spec_->stop->command.empty();
    state.asked = true;
    send(spec_->stop->signal, group_asked ? effect::SignalTarget::outside_group : effect::SignalTarget::tree,
         turn);
}

void Task::stop_command_ended(event::StopCommandEnded& event, Turn& turn) {
    const state::Stopping& state = stopping();
    if (event.done || state.killed || state.ended) return;
    thaw(turn);
    send(spec_->stop->signal,
         spec_->stop->to == StopTarget::main ? effect::SignalTarget::main : effect::SignalTarget::group,
         turn);
}

void Task::tree_vanished(event::TreeEmpty&, Turn& turn) {
    // Before Spawned an empty tree says nothing: the process may be about to be made.
    if (run()->main_pid == 0) return;
    note_exit(ExitStatus{}, std::nullopt, turn);
    judge_end_of_run(cause_of(ExitStatus{}), ExitStatus{}, turn);
}

void Task::tree_emptied(event::TreeEmpty&, Turn& turn) {
    if (run()->main_pid == 0) return;
    if (!stopping().ended) {
        note_exit(ExitStatus{}, std::nullopt, turn);
        stopping().ended = ExitStatus{};
    }
    tree_gone(turn);
}

void Task::notified_starting(event::Notified& event, Turn& turn) {
    take_notes(event, turn);
    auto& starting = std::get<state::Starting>(state_);
    const TimePoint extended =
        event.extend_timeout ? add_saturating(run_time(turn.now), *event.extend_timeout) : TimePoint::min();
    if (starting.run.main_pid == 0) {
        // Said by a process whose Spawned is still on its way to us.
        starting.early.ready |= spec_->ready.on == ReadyOn::notify ? event.ready : event.beat;
        starting.early.trigger |= event.trigger;
        starting.early.stopping |= event.stopping;
        starting.early.ready_due = std::max(starting.early.ready_due, extended);
        return;
    }
    starting.ready_due = std::max(starting.ready_due, extended);
    if (spec_->ready.on == ReadyOn::notify ? event.ready : event.beat) become_healthy(turn);
    heed(event.trigger, event.stopping, turn);
}

void Task::notified_healthy(event::Notified& event, Turn& turn) {
    take_notes(event, turn);
    if (spec_->heartbeat && (event.beat || event.watchdog) && !notes_.triggered)
        std::get<state::Healthy>(state_).beat_due = add_saturating(run_time(turn.now), silence_allowed());
    heed(event.trigger, event.stopping, turn);
}

void Task::notified_stopping(event::Notified& event, Turn& turn) {
    take_notes(event, turn);
    state::Stopping& state = stopping();
    if (event.extend_timeout && !state.killed)
        state.kill_due = std::max(state.kill_due, add_saturating(run_time(turn.now), *event.extend_timeout));
}

void Task::take_notes(event::Notified& event, const Turn& turn) {
    if (event.status) notes_.status = std::move(*event.status);
    if (event.error) notes_.error = event.error;
    if (event.exit_status) notes_.exit_status = event.exit_status;
    if (event.beat) notes_.last_beat = turn.clock;
    if (event.watchdog && *event.watchdog <= Duration::zero()) event.watchdog.reset();
    if (event.watchdog && spec_->heartbeat) notes_.heartbeat_timeout = event.watchdog;
    if (event.main_pid && run()->main_pid != 0) run()->main_pid = *event.main_pid;
}

void Task::heed(bool trigger, bool stopping, Turn& turn) {
    if (trigger) return fail_by_trigger(turn);
    if (stopping) begin_stopping(Cause{}, false, turn);
}

void Task::fail_by_trigger(Turn& turn) {
    if (paused_since_) {
        // Said before the task was paused; nothing passes until it is resumed, and then this is due at once.
        if (auto* starting = std::get_if<state::Starting>(&state_)) starting->ready_due = *paused_since_;
        if (auto* healthy = std::get_if<state::Healthy>(&state_)) healthy->beat_due = *paused_since_;
        notes_.triggered = true;
        return;
    }
    begin_stopping({cause::HeartbeatTimeout{}}, false, turn);
    ask_to_end(spec_->heartbeat.value_or(HeartbeatRule{}).signal, spec_->stop->to, turn);
}

void Task::note_exit(const ExitStatus& status, const std::optional<ResourceUse>& usage, const Turn& turn) {
    last_exit_ = std::make_unique<LastExit>(LastExit{status, turn.clock, run()->generation, usage});
}

void Task::ready_overdue(event::DeadlinePassed&, Turn& turn) {
    begin_stopping({cause::ReadyTimeout{spec_->ready.timeout.value_or(Duration::zero())}}, false, turn);
    ask_by_rule(turn);
}

void Task::beat_overdue(event::DeadlinePassed&, Turn& turn) {
    // The other deadline of `healthy`, stable_due, is settled before every event.
    if (turn.now < std::get<state::Healthy>(state_).beat_due) return;
    begin_stopping({cause::HeartbeatTimeout{notes_.triggered ? Duration::zero() : silence_allowed()}}, false,
                   turn);
    ask_to_end(spec_->heartbeat.value_or(HeartbeatRule{}).signal, spec_->stop->to, turn);
}

void Task::kill_overdue(event::DeadlinePassed&, Turn& turn) {
    state::Stopping& state = stopping();
    // Before its Spawned the answer to the spawn is what is awaited, and it comes.
    state.unkillable = state.killed && state.run.main_pid != 0 &&
                       run_time(turn.now) - state.killed_since >= kUnkillableAfter;
    if (!state.next_step || *state.next_step >= spec_->stop->further.size()) return kill_tree(turn);
    const StopStep& step = spec_->stop->further[(*state.next_step)++];
    state.kill_due = add_saturating(run_time(turn.now), step.wait);
    const bool to_main = spec_->stop->to == StopTarget::main && !state.ended;
    send(step.signal, to_main ? effect::SignalTarget::main : effect::SignalTarget::tree, turn);
}

void Task::restart_due(event::DeadlinePassed&, Turn& turn) {
    start_or_wait(cause_, std::get<state::Failed>(state_).host_faults, turn);
}

void Task::start_in_turn(event::TurnCame&, Turn& turn) {
    const auto* failed = std::get_if<state::Failed>(&state_);
    turn.may_start = true;
    start_or_wait(cause_, failed != nullptr ? failed->host_faults : 0, turn);
}

}  // namespace vigil::core
