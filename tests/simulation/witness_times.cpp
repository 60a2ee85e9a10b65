// Every deadline: right when it is set, moved by the owner's absence and by nothing else, acted upon when it
// has passed and not before.
#include <algorithm>

#include "core/restart_policy.hpp"
#include "simulation/witness.hpp"

namespace vigil::core::simulation {
namespace {

constexpr Duration kLongestHostFault = std::chrono::seconds(5);

/// It does what it can to show that it lives, as often as it was asked to.
bool beats_in_time(const Process& process) {
    return process.beats_every > Duration::zero() && !process.is_late_comer &&
           process.phase == Process::Phase::running;
}

/// base_delay * 2^min(attempts, max_backoff_exponent), at most max_delay; reckoned apart from the core's own.
Duration least_delay(const RestartRule& rule, unsigned attempts) {
    Duration delay = rule.base_delay;
    for (unsigned i = 0; i < std::min(attempts, rule.max_backoff_exponent) && delay < rule.max_delay; ++i)
        delay *= 2;
    return std::min(delay, rule.max_delay);
}

Duration most_delay(const RestartRule& rule, unsigned attempts) {
    const Duration least = least_delay(rule, attempts);
    return least + Duration(static_cast<Duration::rep>(static_cast<double>(least.count()) * rule.jitter)) +
           Duration(1);
}

}  // namespace

Duration time_to_sigkill(const TaskSpec& spec) {
    Duration sum = spec.stop->timeout + kAwayThreshold;
    for (const StopStep& step : spec.stop->further) sum += step.wait + kAwayThreshold;
    return sum;
}

/// The owner's sleep, as it explains itself: it was away for as long as it came late, and as much again, up
/// to kAwayGrace and its last call, is granted to those that were frozen with it.
void Witness::expect(TimePoint now) {
    const TimePoint due = parts_.supervisor.next_deadline();
    const bool away = due != kNever && now - due > kAwayThreshold;
    if (now != called_ || away)
        passed_ = away ? std::max(due - looked_ - kAwayGrace, Duration::zero()) : now - looked_;
    if (away) {
        const Duration late = now - due;
        away_ += late + std::min({late, kAwayGrace, std::max(due - called_, Duration::zero())});
    }
    called_ = now;
    parts_.world.set_supervised(supervised(now));
}

bool Witness::was_stable(const Seen& seen) const {
    return seen.state == StateName::healthy && !seen.paused && moved(seen.stable_due) <= called_;
}

void Witness::judge_failure(const effect::Announce& effect, const Known& task) {
    if (std::holds_alternative<cause::ReadyTimeout>(effect.cause.kind) && effect.to == StateName::stopping &&
        effect.from) {
        const Process* process = parts_.world.find(effect.task, effect.generation);
        require(process == nullptr || !beats_in_time(*process),
                "nobody is judged not ready who showed that he is", effect.task);
    }
    if (!task.seen || task.touched || !effect.from || !has_run(*effect.from)) return;
    const SpecPtr* spec = parts_.supervisor.spec(effect.task);
    if (spec == nullptr || !effect.to) return;
    const RestartRule& rule = *(*spec)->restart;
    const unsigned before = was_stable(*task.seen) ? 0 : task.seen->attempts;
    if (*effect.to == StateName::dead && std::holds_alternative<cause::AttemptsExhausted>(effect.cause.kind))
        require(rule.max_attempts && before >= *rule.max_attempts, "nobody is given up who has attempts left",
                effect.task);
    if (*effect.to != StateName::failed) return;
    require(effect.next_start_in.has_value(), "a restart has a time", effect.task);
    if (!effect.next_start_in) return;
    const auto* not_made = std::get_if<cause::SpawnFailed>(&effect.cause.kind);
    if (not_made != nullptr && is_host_fault(not_made->failure.error)) {
        require(effect.attempts == before, "the host's fault spends no attempt", effect.task);
        require(*effect.next_start_in > Duration::zero() && *effect.next_start_in <= kLongestHostFault,
                "the host's fault is tried again soon, and not at once", effect.task);
        return;
    }
    const bool exhausted = rule.max_attempts && before >= *rule.max_attempts;
    require(!exhausted || rule.when_exhausted == WhenExhausted::keep_trying,
            "who has no attempt left is given up", effect.task);
    require(effect.attempts == (exhausted ? before : before + 1), "a failure spends one attempt",
            effect.task);
    require(*effect.next_start_in >= least_delay(rule, before) &&
                *effect.next_start_in <= most_delay(rule, before),
            "the delay is what the attempts before this one make it", effect.task);
}

void Witness::judge_silence(const effect::Announce& effect, const cause::HeartbeatTimeout& silence) {
    // 0: it was its own wish.
    if (effect.to != StateName::stopping || effect.from != StateName::healthy ||
        silence.timeout == Duration::zero())
        return;
    const Process* process = parts_.world.find(effect.task, effect.generation);
    if (process == nullptr) return;
    require(!beats_in_time(*process), "nobody is judged silent who beat in time by his own clock",
            effect.task);
    if (process->heard_at)
        require(supervised(called_) - *process->heard_at >= silence.timeout,
                "no task is ended for a silence that it broke in time", effect.task);
    if (process->sign_is_exact)
        require(supervised(called_) - process->sign_at >= silence.timeout,
                "no silence is judged before its time", effect.task);
}

void Witness::judge_times(TaskId id, const Known& task, const TaskReport& report, const TaskRecord& record,
                          TimePoint now) {
    const bool has_due = report.state == StateName::failed || report.state == StateName::stopping ||
                         (report.state == StateName::starting && report.pid != 0);
    if (report.state == StateName::failed) require(record.state_due != kNever, "a restart has a time", id);
    if (report.state == StateName::stopping) require(record.state_due != kNever, "a stop has a time", id);
    if (has_due && !report.paused && !report.waiting_turn) {
        require(record.state_due > now, "no deadline is missed", id);
        require(parts_.supervisor.next_deadline() <= record.state_due,
                "the owner is woken for every deadline", id);
    }
    judge_beats(id, report, now);
    if (!task.seen) return;
    const Seen& seen = *task.seen;
    if (task.touched || seen.paused || report.paused) return;
    if (report.state == StateName::healthy &&
        (seen.state != StateName::healthy || seen.generation != report.generation))
        require(report.attempts == 0
                    ? true
                    : record.stable_due == add_saturating(now, (*report.spec)->restart->stable_after),
                "being stable is counted from when the task is healthy", id);
    judge_early(id, seen, report, record, now);
    const Process* process = parts_.world.find(id, report.generation);
    const bool asked_for_time = process != nullptr && process->asked_for_time;
    if (seen.state != report.state || seen.generation != report.generation) return;
    switch (report.state) {
        case StateName::failed:
            if (!seen.waiting && !report.waiting_turn)
                require(record.state_due == moved(seen.due), "a restart stays due when it was", id);
            return;
        case StateName::starting:
            if (asked_for_time) return;
            if (seen.pid != 0)
                require(record.state_due == moved(seen.due), "readiness stays due when it was", id);
            else if (report.pid != 0 && (*report.spec)->ready.timeout)
                require(record.state_due == now + *(*report.spec)->ready.timeout,
                        "readiness is due when its time from the start is over", id);
            return;
        case StateName::healthy:
            if (moved(seen.stable_due) <= now) {
                require(report.attempts == 0 && record.stable_due == kNever,
                        "a stable task has all its attempts again", id);
            } else {
                require(record.stable_due == moved(seen.stable_due), "being stable stays due when it was",
                        id);
                require(report.attempts == seen.attempts, "attempts change with an end or with stability",
                        id);
            }
            return;
        case StateName::stopping:
            if (!asked_for_time && seen.pid == report.pid && seen.killed == record.killed &&
                seen.step == record.next_step && moved(seen.due) > now)
                require(record.state_due == moved(seen.due), "a stop's next step stays due when it was", id);
            return;
        case StateName::created:
        case StateName::completed:
        case StateName::stopped:
        case StateName::dead: return;
    }
}

/// What a deadline has brought about came not before it.
void Witness::judge_early(TaskId id, const Seen& seen, const TaskReport& report, const TaskRecord& record,
                          TimePoint now) {
    const bool same_run = seen.generation == report.generation;
    if (seen.state == StateName::failed && !seen.waiting && report.state == StateName::starting)
        require(moved(seen.due) <= now, "no restart comes before its time", id);
    if (seen.state == StateName::starting && seen.pid != 0 && same_run &&
        report.state == StateName::stopping && std::holds_alternative<cause::ReadyTimeout>(record.why.kind))
        require(moved(seen.due) <= now, "nobody is judged not ready before his time", id);
    if (seen.state == StateName::stopping && seen.pid != 0 && same_run && !seen.killed && record.killed)
        require(moved(seen.due) <= now, "SIGKILL does not come before its time", id);
}

void Witness::judge_beats(TaskId id, const TaskReport& report, TimePoint now) {
    const auto& rule = (*report.spec)->heartbeat;
    if (report.state != StateName::healthy || report.paused || !rule) return;
    const Process* process = parts_.world.find(id, report.generation);
    if (process == nullptr || !process->sign_is_exact) return;
    Duration allowed = *report.heartbeat_timeout;
    // Whether it has beaten before is more than the next daemon can know.
    if (!process->beaten) allowed = std::max(allowed, rule->initial_delay);
    require(supervised(now) - process->sign_at < allowed, "silence is judged when its time is over", id);
}

}  // namespace vigil::core::simulation
