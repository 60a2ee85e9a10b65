#include "core/task.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/restart_policy.hpp"

namespace vigil::core {
namespace {

/// Uniform in [0, 1): the 53 bits that a double can hold.
double uniform(std::mt19937_64& random) {
    return static_cast<double>(random() >> 11) * 0x1.0p-53;
}

Duration until(TimePoint due, TimePoint now) {
    return std::max(due - now, Duration::zero());
}

}  // namespace

Task::Task(TaskId id, SpecPtr spec, Generation last_generation, Turn& turn)
    : spec_(std::move(spec)),
      id_(id),
      desired_(spec_->autostart ? Desired::up : Desired::stopped),
      generation_(last_generation) {
    announce(std::nullopt, StateName::created, Generation{}, turn);
}

TimePoint Task::next_due() const noexcept {
    if (paused_since_) return kNever;
    if (const auto* starting = std::get_if<state::Starting>(&state_)) return starting->ready_due;
    if (const auto* healthy = std::get_if<state::Healthy>(&state_))
        return std::min(healthy->beat_due, healthy->stable_due);
    if (const auto* stopping = std::get_if<state::Stopping>(&state_)) return stopping->kill_due;
    if (const auto* failed = std::get_if<state::Failed>(&state_))
        return waiting_turn_ ? kNever : failed->restart_due;
    return kNever;
}

Task::Standing Task::standing() const noexcept {
    const StateName state = name_of(state_);
    const auto* stopping_state = std::get_if<state::Stopping>(&state_);
    return {
        .state = state,
        .waiting_turn = waiting_turn_,
        .takes_turn = state == StateName::starting && needs_turn(),
        .has_process = run() != nullptr,
        .unkillable = stopping_state != nullptr && stopping_state->unkillable,
        .dead_unwanted = state == StateName::dead && !cause_.by_operator(),
        .removed = removed_,
    };
}

void Task::enter(State next, Cause why, Turn& turn) {
    const StateName from = name_of(state_);
    const Run* last = run();
    const Generation before = last != nullptr ? last->generation : Generation{};
    state_ = std::move(next);
    cause_ = std::move(why);
    waiting_turn_ = false;

    const Run* present = run();
    const bool run_is_over = before != Generation{} && (present == nullptr || present->generation != before);
    if (run_is_over) {
        paused_since_.reset();
        // Before the announcement, which answers those who wait: they are to find nothing left of the run.
        turn.effects.emplace_back(effect::Release{id_, before});
    }
    announce(from, name_of(state_), before, turn);
}

void Task::leave(Cause why, Turn& turn) {
    const Run* last = run();
    const Generation before = last != nullptr ? last->generation : Generation{};
    desired_ = Desired::removed;
    cause_ = std::move(why);
    waiting_turn_ = false;
    removed_ = true;
    if (before != Generation{}) turn.effects.emplace_back(effect::Release{id_, before});
    announce(name_of(state_), std::nullopt, before, turn);
}

/// `before`: the run of the state that was left, if it had one.
void Task::announce(std::optional<StateName> from, std::optional<StateName> to, Generation before,
                    Turn& turn) {
    effect::Announce change;
    change.number = last_change_ = ++turn.announcements;
    change.task = id_;
    change.name = spec_->name;
    change.from = from;
    change.to = to;
    change.cause = cause_;
    change.generation = generation_;
    if (const Run* present = run(); present != nullptr && !removed_) change.pid = present->main_pid;
    change.attempts = attempts_;
    change.max_attempts = spec_->restart->max_attempts;
    if (const auto* failed = std::get_if<state::Failed>(&state_); failed != nullptr && !removed_)
        change.next_start_in = until(failed->restart_due, turn.now);
    if (before != Generation{} && last_exit_ && last_exit_->generation == before)
        change.exit = last_exit_->status;
    turn.effects.emplace_back(std::move(change));
}

void Task::start_or_wait(Cause why, unsigned host_faults, Turn& turn) {
    const bool in_idle_state =
        std::holds_alternative<state::Created>(state_) || std::holds_alternative<state::Failed>(state_);
    if (needs_turn() && !turn.may_start) {
        if (!in_idle_state) enter(state::Created{}, std::move(why), turn);
        if (auto* failed = std::get_if<state::Failed>(&state_)) *failed = {turn.now, host_faults};
        waiting_turn_ = true;
        return;
    }
    generation_ = Generation{static_cast<std::uint64_t>(generation_) + 1};
    ++runs_;
    notes_ = {};
    state::Starting next;
    next.run = {generation_, turn.clock, 0};
    next.host_faults = host_faults;
    enter(next, std::move(why), turn);
    turn.effects.emplace_back(effect::Spawn{id_, generation_, spec_});
}

void Task::become_healthy(Turn& turn) {
    const TimePoint now = run_time(turn.now);
    state::Healthy next;
    next.run = *run();
    next.since = now;
    if (spec_->heartbeat) next.beat_due = add_saturating(now, silence_allowed());
    if (attempts_ > 0) next.stable_due = add_saturating(now, spec_->restart->stable_after);
    enter(next, Cause{}, turn);
}

void Task::begin_stopping(Cause why, bool ordered, Turn& turn) {
    state::Stopping next;
    next.run = *run();
    next.why = why;
    next.ordered = ordered;
    next.kill_due = add_saturating(run_time(turn.now), spec_->stop->timeout);
    enter(std::move(next), std::move(why), turn);
}

/// The run of `stopping` is over: what follows is what is desired by now.
void Task::tree_gone(Turn& turn) {
    const state::Stopping last = stopping();
    switch (desired_) {
        case Desired::removed: return leave(last.why, turn);
        case Desired::dead: return enter(state::Dead{}, last.why, turn);
        case Desired::stopped: return enter(state::Stopped{}, last.why, turn);
        case Desired::up: break;
    }
    if (last.ordered) return start_or_wait(last.why, 0, turn);
    const bool ended_by_itself = std::holds_alternative<cause::None>(last.why.kind);
    judge_end_of_run(ended_by_itself ? cause_of(last.ended.value_or(ExitStatus{})) : last.why, last.ended,
                     turn);
}

void Task::judge_end_of_run(Cause why, const std::optional<ExitStatus>& ended, Turn& turn) {
    const RestartRule& rule = *spec_->restart;
    switch (judge_end(rule, why, ended, attempts_)) {
        case Verdict::complete: return enter(state::Completed{}, std::move(why), turn);
        case Verdict::final_failure: return enter(state::Dead{}, std::move(why), turn);
        case Verdict::exhausted: {
            auto last = std::make_shared<const Cause>(std::move(why));
            return enter(state::Dead{}, {cause::AttemptsExhausted{attempts_, std::move(last)}}, turn);
        }
        case Verdict::retry: break;
    }
    const Duration delay = restart_delay(rule, attempts_, uniform(turn.random));
    // With keep-trying the attempts stay at their maximum, and so does the delay.
    if (attempts_ < rule.max_attempts.value_or(std::numeric_limits<unsigned>::max())) ++attempts_;
    enter(state::Failed{add_saturating(turn.now, delay), 0}, std::move(why), turn);
}

void Task::ask_to_end(int signal, StopTarget to, Turn& turn) {
    state::Stopping& state = stopping();
    state.asked = true;
    state.killed = state.unkillable = false;
    state.kill_due = add_saturating(run_time(turn.now), spec_->stop->timeout);
    send(signal, to == StopTarget::main ? effect::SignalTarget::main : effect::SignalTarget::group, turn);
}

void Task::ask_by_rule(Turn& turn) {
    const StopRule& rule = *spec_->stop;
    if (rule.command.empty()) {
        ask_to_end(rule.signal, rule.to, turn);
    } else {
        state::Stopping& state = stopping();
        state.asked = true;
        state.killed = state.unkillable = false;
        state.kill_due = add_saturating(run_time(turn.now), rule.timeout);
        turn.effects.emplace_back(
            effect::RunStopCommand{id_, state.run.generation, spec_, state.run.main_pid});
    }
    stopping().next_step = 0;
}

void Task::send(int signal, effect::SignalTarget to, Turn& turn) {
    turn.effects.emplace_back(effect::Signal{id_, stopping().run.generation, signal, to});
}

void Task::kill_tree(Turn& turn) {
    state::Stopping& state = stopping();
    if (!state.killed) state.killed_since = run_time(turn.now);
    state.killed = true;
    state.kill_due = add_saturating(run_time(turn.now), kKillAgainAfter);
    turn.effects.emplace_back(effect::KillTree{id_, state.run.generation});
}

/// Every deadline of the run has as much left as it had when the task was paused.
void Task::thaw(Turn& turn) {
    if (!paused_since_) return;
    const Duration pause = turn.now - *paused_since_;
    const auto shift = [pause](TimePoint& due) { due = add_saturating(due, pause); };
    if (auto* starting = std::get_if<state::Starting>(&state_)) shift(starting->ready_due);
    if (auto* healthy = std::get_if<state::Healthy>(&state_)) {
        shift(healthy->beat_due);
        shift(healthy->stable_due);
    }
    if (auto* stopping = std::get_if<state::Stopping>(&state_)) shift(stopping->kill_due);
    paused_since_.reset();
    turn.effects.emplace_back(effect::Freeze{id_, run()->generation, false});
}

/// Being stable is a matter of time and not of the order in which a turn is worked off: an exit that is read
/// in the turn in which stable_due has passed is the first failure of a new series.
void Task::settle_stability(TimePoint now) noexcept {
    auto* healthy = std::get_if<state::Healthy>(&state_);
    if (healthy == nullptr || run_time(now) < healthy->stable_due) return;
    attempts_ = 0;
    healthy->stable_due = kNever;
}

const Run* Task::run() const noexcept {
    if (const auto* starting = std::get_if<state::Starting>(&state_)) return &starting->run;
    if (const auto* healthy = std::get_if<state::Healthy>(&state_)) return &healthy->run;
    if (const auto* stopping = std::get_if<state::Stopping>(&state_)) return &stopping->run;
    return nullptr;
}

/// Until the next heartbeat. Only with ready.on `exec` is there a first beat to wait for in `healthy`. One
/// that may be the first or not has the longer of both times: it would be judged for its supervisor's absence
/// otherwise.
Duration Task::silence_allowed() const noexcept {
    if (notes_.heartbeat_timeout) return *notes_.heartbeat_timeout;
    const bool first = spec_->ready.on == ReadyOn::exec && !notes_.last_beat;
    const HeartbeatRule& rule = *spec_->heartbeat;
    if (!first) return rule.timeout;
    return notes_.taken_over ? std::max(rule.initial_delay, rule.timeout) : rule.initial_delay;
}

}  // namespace vigil::core
