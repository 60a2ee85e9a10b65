// What an operator, the configuration or a shutdown wants of a task.
#include <utility>

#include "core/task.hpp"

namespace vigil::core {
namespace {

/// Stop, Kill and Remove differ in what follows the end of the run, and in nothing else.
struct Ending {
    Desired then;
    Cause by;
    bool now;
};
Ending ending(event::Stop& order) {
    return {Desired::stopped, std::move(order.by), order.now};
}
Ending ending(event::Kill& order) {
    return {Desired::dead, std::move(order.by), order.now};
}
Ending ending(event::Remove& order) {
    return {Desired::removed, std::move(order.by), false};
}

}  // namespace

template <typename E>
void Task::start(E& order, Turn& turn) {
    desired_ = Desired::up;
    attempts_ = 0;
    start_or_wait(std::move(order.by), 0, turn);
}
template void Task::start(event::Start&, Turn&);
template void Task::start(event::Restart&, Turn&);

/// Waits for the run in flight to end as it was going to; the end is not judged, so that no attempt is spent.
template <typename E>
void Task::start_after_stop(E& order, Turn&) {
    if (desired_ == Desired::removed) return;
    desired_ = Desired::up;
    attempts_ = 0;
    stopping().ordered = true;
    stopping().why = std::move(order.by);
}
template void Task::start_after_stop(event::Start&, Turn&);

void Task::restart_run(event::Restart& order, Turn& turn) {
    desired_ = Desired::up;
    attempts_ = 0;
    // A run before its Spawned is the new one already: a restart asked for while one is in flight happens
    // once.
    if (run()->main_pid == 0) return;
    end_by_order(std::move(order.by), false, turn);
}

void Task::restart_after_stop(event::Restart& order, Turn& turn) {
    if (desired_ == Desired::removed) return;
    start_after_stop(order, turn);
    thaw(turn);
    if (!stopping().asked && !stopping().killed) ask_by_rule(turn);
}

void Task::end_idle(event::Stop& order, Turn& turn) {
    desired_ = Desired::stopped;
    enter(state::Stopped{}, std::move(order.by), turn);
}

void Task::end_idle(event::Kill& order, Turn& turn) {
    desired_ = Desired::dead;
    enter(state::Dead{}, std::move(order.by), turn);
}

void Task::end_idle(event::Remove& order, Turn& turn) {
    leave(std::move(order.by), turn);
}

template <typename E>
void Task::end_run(E& order, Turn& turn) {
    Ending wanted = ending(order);
    desired_ = wanted.then;
    end_by_order(std::move(wanted.by), wanted.now, turn);
}
template void Task::end_run(event::Stop&, Turn&);
template void Task::end_run(event::Kill&, Turn&);
template void Task::end_run(event::Remove&, Turn&);

void Task::end_by_order(Cause by, bool now, Turn& turn) {
    thaw(turn);
    begin_stopping(std::move(by), true, turn);
    stopping().forced = now;
    // A process before its exec has no handler for a signal yet, and may be stuck for ever: only SIGKILL ends
    // it.
    const bool before_exec = stopping().run.main_pid == 0;
    now || before_exec ? kill_tree(turn) : ask_by_rule(turn);
}

/// The last order decides what follows, except that a removal is final, and that a shutdown takes nothing
/// from what an operator has decided: a daemon that comes after one which died in its shutdown is to know it.
template <typename E>
void Task::end_sooner(E& order, Turn& turn) {
    Ending wanted = ending(order);
    thaw(turn);
    const bool by_shutdown = std::holds_alternative<cause::Shutdown>(wanted.by.kind);
    if (desired_ == Desired::up || (desired_ != Desired::removed && !by_shutdown)) {
        desired_ = wanted.then;
        stopping().ordered = true;
        stopping().why = std::move(wanted.by);
    }
    if (wanted.now) {
        stopping().forced = true;
        kill_tree(turn);
    } else if (!stopping().asked && !stopping().killed) {
        ask_by_rule(turn);
    }
}
template void Task::end_sooner(event::Stop&, Turn&);
template void Task::end_sooner(event::Kill&, Turn&);
template void Task::end_sooner(event::Remove&, Turn&);

void Task::pause(event::Pause&, Turn& turn) {
    const auto* stopping = std::get_if<state::Stopping>(&state_);
    const bool past_pausing = stopping != nullptr && (stopping->killed || stopping->ended);
    // There is nothing to freeze before Spawned, and no point in freezing what SIGKILL is ending or what a
    // main process has left behind.
    if (paused_since_ || run()->main_pid == 0 || past_pausing) return;
    paused_since_ = turn.now;
    turn.effects.emplace_back(effect::Freeze{id_, run()->generation, true});
}

void Task::resume(event::Resume&, Turn& turn) {
    thaw(turn);
}

}  // namespace vigil::core
