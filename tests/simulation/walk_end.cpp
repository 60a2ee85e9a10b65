// The end of a walk: faults stop, and everything has to come right; then a shutdown, after which nothing may
// live.
#include <algorithm>
#include <limits>

#include "simulation/walk.hpp"

namespace vigil::core::simulation {

using namespace std::chrono_literals;
using Phase = Process::Phase;

void Walk::end() {
    tape_.begin_step();
    witness_.never_crash();
    settle();
    if (promises_.kept()) shut_down();
}

/// What the rules allow a task at most, one task after the other: to end, to wait for its restart, to be
/// ready.
Duration Walk::time_to_settle() const {
    Duration sum = 1min;
    for (const TaskId task : supervisor_.ids_by_name()) {
        const TaskSpec& spec = **supervisor_.spec(task);
        Duration stop = spec.stop->timeout;
        for (const StopStep& step : spec.stop->further) stop += step.wait;
        const Duration delay = spec.restart->max_delay + spec.restart->max_delay / 4;
        sum += 2 * (stop + kKillAgainAfter + delay + spec.ready.timeout.value_or(0s) + 30s);
    }
    return sum;
}

void Walk::settle() {
    if (telling()) tell("faults stop");
    for (const TaskId task : supervisor_.ids_by_name())
        if (supervisor_.report(task, now_)->paused) order(task, 8, std::nullopt);
    turn();
    for (auto& [key, process] : world_.processes()) make_good(process);
    const TimePoint limit = now_ + time_to_settle();
    while (promises_.kept() && now_ < limit && !witness_.all_reached(now_)) {
        for (auto& [key, process] : world_.processes()) {
            behave(process);
            world_.arrive(process);
        }
        witness_.expect(now_);
        while (!engine_.turn(now_)) continue;
        witness_.look(now_);
        const TimePoint due = supervisor_.next_deadline();
        // Processes need a moment for what they do.
        now_ = std::max(now_ + 1ms, std::min(due, now_ + 10s));
        if (telling()) tell("time passes");
        world_.pass_until(now_);
    }
    promises_.require(witness_.all_reached(now_), "every task is where it is wanted once faults stop");
}

/// From now on it does what is expected of it. What ignores signals goes on to do so.
void Walk::make_good(Process& process) {
    process.survives_kills = 0;
    if (process.phase != Phase::running || process.beats_every > Duration::zero()) return;
    if (!process.born->heartbeat) return;
    // It has been silent, or asked to be judged by another measure: no promise covers what comes of that.
    process.next_beat = world_.now();
    process.beats_every = process.born->heartbeat->timeout / 3;
    process.is_late_comer = true;
    world_.pass_until(world_.now());
}

void Walk::behave(Process& process) {
    switch (process.phase) {
        case Phase::asked: return world_.make(process);
        case Phase::made:
            world_.exec(process);
            if (process.phase == Phase::running && process.born->heartbeat)
                world_.beat_every(process, process.born->heartbeat->timeout / 3);
            return;
        case Phase::running: {
            if (process.stop_command_runs) return world_.end_stop_command(process, true);
            if (process.main_asked && !process.ignores_signals)
                return world_.end_main(process, {ExitStatus::Kind::signal, 0, 15, false});
            if (process.spec->ready.on != ReadyOn::notify || process.born->heartbeat) return;
            event::Notified ready;
            ready.ready = true;
            if (process.messages.empty()) world_.say(process, std::move(ready));
            return;
        }
        case Phase::left:
            if (process.children_ignore_signals) return;
            if (process.children > 0 && process.children_asked) return world_.end_child(process);
            if (process.escaped > 0 && process.escaped_asked) return world_.end_escaped(process);
            return;
        case Phase::gone: return;
    }
}

void Walk::shut_down() {
    witness_.never_crash();
    for (std::size_t round = 0; round < 2000 && !witness_.is_finished() && promises_.kept(); ++round) {
        tape_.begin_step();
        if (!witness_.shutting_down()) {
            const bool kill = one_in(4);
            if (telling()) tell(kill ? "shut down now" : "shut down");
            witness_.shut_down(kill, now_);
            // The daemon may be killed before it is through; then the next one is shut down.
            if (round < 4 && one_in(6)) witness_.crash_after(below(12));
        }
        if (one_in(20)) witness_.shut_down(true, now_);
        if (one_in(4)) give_orders();
        if (one_in(2)) something_happens();
        // What nobody ends by SIGKILL can only be a spawn on its way; it is refused or comes up, and is then
        // ended.
        for (auto& [key, process] : world_.processes())
            if (process.phase == Phase::asked || process.phase == Phase::made) progress(process);
        const TimePoint due = supervisor_.next_deadline();
        now_ = due == kNever ? now_ + 1ms : std::max(now_, due);
        world_.pass_until(now_);
        turn();
    }
    promises_.require(witness_.is_finished(), "a shutdown comes to its end");
    if (world_.processes().empty()) clients_.finish();
    now_ += 24h;
    world_.pass_until(now_);
    turn();
}

}  // namespace vigil::core::simulation
