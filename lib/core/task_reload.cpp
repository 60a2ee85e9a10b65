// What a changed configuration means to a task: it takes its new spec in every state, and nothing but a
// change that needs it touches a run.
//
// A deadline that runs is moved by as much as the value it was made of has changed. The first sign of life is
// an exception: a start that is under way keeps the longer of the two times, since it was promised one of
// them. What was decided under the old rule stands: a restart that is pending comes, whatever restart.policy
// says by now.
#include <algorithm>
#include <utility>

#include "core/restart_policy.hpp"
#include "core/task.hpp"

namespace vigil::core {
namespace {

void lengthen(TimePoint& due, Duration before, Duration after) {
    if (due != kNever && after > before) due = add_saturating(due, after - before);
}

/// Never to before `now`: an owner that finds a deadline long passed takes itself to have been away (see
/// Supervisor::wake), and would give every other task more time.
void shift(TimePoint& due, Duration before, Duration after, TimePoint now) {
    if (due != kNever) due = std::max(add_saturating(due, after - before), std::min(due, now));
}

bool same_delays(const RestartRule& a, const RestartRule& b) {
    return a.base_delay == b.base_delay && a.max_delay == b.max_delay &&
           a.max_backoff_exponent == b.max_backoff_exponent;
}

}  // namespace

SpecPtr Task::take_spec(event::NewSpec& order) {
    SpecPtr before = std::exchange(spec_, std::move(order.spec));
    // "Attempt 4 of 2" is nothing that a reader could make sense of; the next failure is the last either way.
    if (const auto most = spec_->restart->max_attempts) attempts_ = std::min(attempts_, *most);
    return before;
}

/// Neither a stop nor an end is taken back by an edited file.
void Task::respec_idle(event::NewSpec& order, Turn&) {
    (void)take_spec(order);
}

/// Only here does a changed `autostart` mean anything: nobody has ordered anything of this task yet, so it is
/// where the configuration wants it.
void Task::respec_created(event::NewSpec& order, Turn& turn) {
    const SpecPtr before = take_spec(order);
    if (waiting_turn_) {
        if (!needs_turn()) start_or_wait(cause_, 0, turn);
        return;
    }
    if (before->autostart || !spec_->autostart) return;
    desired_ = Desired::up;
    start_or_wait({cause::ConfigReload{}}, 0, turn);
}

void Task::respec_run(event::NewSpec& order, Turn& turn) {
    const bool restart = order.restart;
    const SpecPtr before = take_spec(order);
    if (!restart) return move_run_deadlines(*before, turn.now);
    desired_ = Desired::up;
    attempts_ = 0;
    // Unlike with an operator's restart, a run before its Spawned is not the new one: it has the old spec.
    end_by_order({cause::ConfigReload{}}, false, turn);
}

void Task::respec_stopping(event::NewSpec& order, Turn& turn) {
    const bool restart = order.restart;
    const SpecPtr before = take_spec(order);
    state::Stopping& state = stopping();
    // Later steps have waits of their own, and after SIGKILL there is nothing left to wait for.
    if (!state.killed && state.next_step.value_or(0) == 0)
        shift(state.kill_due, before->stop->timeout, spec_->stop->timeout, run_time(turn.now));
    // What an order has decided already comes with the new spec anyway.
    if (!restart || desired_ != Desired::up || state.ordered) return;
    event::Restart again{{cause::ConfigReload{}}};
    restart_after_stop(again, turn);
}

void Task::respec_failed(event::NewSpec& order, Turn& turn) {
    const bool restart = order.restart;
    const SpecPtr before = take_spec(order);
    if (restart) {
        attempts_ = 0;
        return start_or_wait({cause::ConfigReload{}}, 0, turn);
    }
    auto& failed = std::get<state::Failed>(state_);
    if (waiting_turn_) {
        if (!needs_turn()) start_or_wait(cause_, failed.host_faults, turn);
        return;
    }
    // When the wait began is not known any more, but nobody waits for longer than the new rule would have him
    // wait from here.
    if (failed.host_faults != 0 || same_delays(*before->restart, *spec_->restart)) return;
    const Duration delay = restart_delay(*spec_->restart, attempts_ > 0 ? attempts_ - 1 : 0, 0);
    failed.restart_due = std::min(failed.restart_due, add_saturating(turn.now, delay));
}

void Task::move_run_deadlines(const TaskSpec& before, TimePoint now) {
    if (auto* starting = std::get_if<state::Starting>(&state_)) {
        const auto& old_time = before.ready.timeout;
        const auto& new_time = spec_->ready.timeout;
        const bool begun = starting->run.main_pid != 0;
        if (!new_time)
            starting->ready_due = kNever;
        else if (old_time)
            lengthen(starting->ready_due, *old_time, *new_time);
        else if (begun)
            starting->ready_due = add_saturating(run_time(now), *new_time);
        return;
    }
    auto& healthy = std::get<state::Healthy>(state_);
    shift(healthy.stable_due, before.restart->stable_after, spec_->restart->stable_after, run_time(now));
    const bool first_beat_awaited =
        spec_->ready.on == ReadyOn::exec && !notes_.last_beat && !notes_.heartbeat_timeout;
    if (before.heartbeat && spec_->heartbeat && first_beat_awaited)
        lengthen(healthy.beat_due, before.heartbeat->initial_delay, spec_->heartbeat->initial_delay);
}

}  // namespace vigil::core
