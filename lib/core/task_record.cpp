// What a task leaves to the next daemon, and how it goes on from there.
#include <algorithm>
#include <utility>

#include "core/task.hpp"

namespace vigil::core {

TaskRecord Task::record(Duration away, TimePoint now) const {
    TaskRecord record;
    const Duration pause =
        paused_since_ ? std::max(now - *paused_since_, Duration::zero()) : Duration::zero();
    const auto of_run = [&](TimePoint due) { return add_saturating(due, away + pause); };
    record.name = spec_->name;
    record.desired = desired_;
    record.state = name_of(state_);
    record.cause = cause_;
    record.generation = generation_;
    record.runs = runs_;
    record.attempts = attempts_;
    record.paused = paused_since_.has_value();
    if (const Run* present = run()) {
        record.started_at = present->started_at;
        record.main_pid = present->main_pid;
    }
    if (const auto* starting = std::get_if<state::Starting>(&state_)) {
        record.state_due = of_run(starting->ready_due);
        record.host_faults = starting->host_faults;
        record.said_ready = starting->early.ready;
    }
    if (const auto* healthy = std::get_if<state::Healthy>(&state_))
        record.stable_due = of_run(healthy->stable_due);
    if (const auto* failed = std::get_if<state::Failed>(&state_)) {
        record.state_due = add_saturating(failed->restart_due, away);
        record.host_faults = failed->host_faults;
    }
    if (const auto* stopping = std::get_if<state::Stopping>(&state_)) {
        record.state_due = of_run(stopping->kill_due);
        record.asked = stopping->asked;
        record.next_step = stopping->next_step;
        record.why = stopping->why;
        record.ordered = stopping->ordered;
        record.forced = stopping->forced;
        record.killed = stopping->killed;
        record.ended = stopping->ended;
    }
    record.status_text = notes_.status;
    record.heartbeat_timeout = notes_.heartbeat_timeout;
    if (last_exit_) record.last_exit = *last_exit_;
    return record;
}

Task::Task(TaskId id, SpecPtr spec, const TaskRecord& record, Duration away)
    : spec_(std::move(spec)),
      id_(id),
      desired_(record.desired),
      attempts_(record.attempts),
      generation_(record.generation),
      runs_(record.runs),
      cause_(record.cause),
      last_exit_(record.last_exit ? std::make_unique<LastExit>(*record.last_exit) : nullptr) {
    notes_.status = record.status_text;
    notes_.heartbeat_timeout = record.heartbeat_timeout;
    const core::Run run{record.generation, record.started_at, record.main_pid};
    const auto here = [away](TimePoint due) { return due == kNever ? kNever : due - away; };
    switch (record.state) {
        case StateName::created: state_ = state::Created{}; break;
        case StateName::starting:
            state_ = state::Starting{
                .run = run, .host_faults = record.host_faults, .early = {.ready = record.said_ready}};
            break;
        case StateName::healthy:
            state_ = state::Healthy{.run = run, .stable_due = here(record.stable_due)};
            break;
        case StateName::stopping:
            state_ = state::Stopping{.run = run,
                                     .why = record.why,
                                     .ordered = record.ordered,
                                     .forced = record.forced || record.killed,
                                     .next_step = {},
                                     .ended = record.ended};
            break;
        case StateName::failed: state_ = state::Failed{here(record.state_due), record.host_faults}; break;
        case StateName::completed: state_ = state::Completed{}; break;
        case StateName::stopped: state_ = state::Stopped{}; break;
        case StateName::dead: state_ = state::Dead{}; break;
    }
    forget_shutdown();
}

/// A shutdown was the wish of the daemon that was shut down, and of nobody for the one that comes after: what
/// it had stopped, or was stopping, is wanted as the spec wants it.
void Task::forget_shutdown() {
    const auto* stopping_state = std::get_if<state::Stopping>(&state_);
    const bool stopped = std::holds_alternative<state::Stopped>(state_);
    const Cause& why = stopping_state != nullptr ? stopping_state->why : cause_;
    if ((!stopped && stopping_state == nullptr) || !std::holds_alternative<cause::Shutdown>(why.kind)) return;
    if (desired_ == Desired::stopped) desired_ = spec_->autostart ? Desired::up : Desired::stopped;
    if (stopped) {
        state_ = state::Created{};
        cause_ = {};
    }
}

/// A task in `created` that is wanted up starts when everybody is taken over: until then nobody knows how
/// many are starting already.
void Task::go_on_idle(event::TakenOver& event, Turn& turn) {
    // What came due while no daemon was there is due now: this supervisor has overslept nothing.
    if (auto* failed = std::get_if<state::Failed>(&state_))
        failed->restart_due = std::max(failed->restart_due, turn.now);
    say_taken_over(event, turn);
    if (!std::holds_alternative<state::Created>(state_) || desired_ != Desired::up) return;
    turn.may_start = false;
    start_or_wait(cause_, 0, turn);
}

/// Whether there is a process after all is answered by Spawned or SpawnFailed, as for every spawn.
void Task::go_on_starting(event::TakenOver& event, Turn& turn) {
    say_taken_over(event, turn);
    auto& starting = std::get<state::Starting>(state_);
    notes_.taken_over = true;
    if (starting.run.main_pid == 0) return;
    pause_again(event, turn);
    if (event.how == Adoption::in_place)
        starting.ready_due = state_due(event);
    else if (spec_->ready.timeout)
        starting.ready_due = add_saturating(turn.now, *spec_->ready.timeout);
}

void Task::go_on_healthy(event::TakenOver& event, Turn& turn) {
    say_taken_over(event, turn);
    pause_again(event, turn);
    auto& healthy = std::get<state::Healthy>(state_);
    healthy.since = turn.now;
    notes_.taken_over = true;
    if (spec_->heartbeat) healthy.beat_due = add_saturating(turn.now, silence_allowed());
}

/// After a crash nobody knows which steps were done, and each may be done twice: the stop begins anew.
void Task::go_on_stopping(event::TakenOver& event, Turn& turn) {
    say_taken_over(event, turn);
    state::Stopping& state = stopping();
    const TaskRecord& record = event.record;
    if (event.how == Adoption::in_place) {
        state.asked = record.asked;
        state.next_step = record.next_step;
        state.kill_due = state_due(event);
        state.forced = record.forced;
        state.killed = record.killed;
        if (state.killed) state.killed_since = turn.now;
        return pause_again(event, turn);
    }
    state.kill_due = add_saturating(turn.now, spec_->stop->timeout);
    if (state.run.main_pid == 0) return;
    if (state.forced) return kill_tree(turn);
    if (state.ended) {
        state.asked = true;
        return send(spec_->stop->signal, effect::SignalTarget::tree, turn);
    }
    if (!record.paused) return ask_by_rule(turn);
    // It was told to end before it was paused; what is left of the stop comes when it is resumed.
    pause_again(event, turn);
    state.asked = true;
    state.next_step = 0;
}

void Task::say_taken_over(const event::TakenOver& event, Turn& turn) {
    if (event.how == Adoption::in_place) return;
    const StateName state = name_of(state_);
    if (state == StateName::starting || state == StateName::healthy) cause_ = {cause::Adopted{}};
    announce(std::nullopt, state, Generation{}, turn);
}

void Task::pause_again(const event::TakenOver& event, Turn& turn) {
    if (!event.record.paused) return;
    paused_since_ = turn.now;
    turn.effects.emplace_back(effect::Freeze{id_, run()->generation, true});
}

TimePoint Task::state_due(const event::TakenOver& event) noexcept {
    const TimePoint due = event.record.state_due;
    return due == kNever ? kNever : due - event.away;
}

}  // namespace vigil::core
