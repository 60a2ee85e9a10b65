#include <algorithm>

#include "core/task.hpp"

namespace vigil::core {

TaskReport Task::report(TimePoint now, TimePoint clock) const {
    const auto remaining = [](TimePoint due, TimePoint from) {
        return std::max(due - from, Duration::zero());
    };
    TaskReport report;
    report.id = id_;
    report.name = spec_->name;
    report.last_change = last_change_;
    report.state = name_of(state_);
    report.paused = paused_since_.has_value();
    report.desired = desired_;
    report.waiting_turn = waiting_turn_;
    report.cause = &cause_;
    report.generation = generation_;
    report.attempts = attempts_;
    report.max_attempts = spec_->restart->max_attempts;
    report.restarts_total = runs_ > 0 ? runs_ - 1 : 0;
    report.status_text = notes_.status;
    report.notified_errno = notes_.error;
    report.notified_exit_status = notes_.exit_status;
    if (last_exit_) report.last_exit = *last_exit_;
    report.spec = &spec_;
    if (spec_->heartbeat)
        report.heartbeat_timeout = notes_.heartbeat_timeout.value_or(spec_->heartbeat->timeout);
    if (const Run* present = run()) {
        report.pid = present->main_pid;
        report.started_at = present->started_at;
        report.uptime = remaining(clock, present->started_at);
        if (notes_.last_beat) report.last_heartbeat_age = remaining(clock, *notes_.last_beat);
    }
    if (const auto* failed = std::get_if<state::Failed>(&state_))
        report.next_start_in = remaining(failed->restart_due, now);
    if (const auto* stopping = std::get_if<state::Stopping>(&state_);
        stopping != nullptr && !stopping->killed)
        report.kill_in = remaining(stopping->kill_due, run_time(now));
    return report;
}

}  // namespace vigil::core
