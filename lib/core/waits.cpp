#include "core/waits.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/quantity.hpp"

namespace vigil::core {
namespace {

enum class Outcome : std::uint8_t { open, reached, missed };

/// Where a task is, as far as a goal is concerned.
struct Position {
    std::optional<StateName> state;  ///< nothing: removed
    Generation generation{};
    bool comes_up = false;  ///< `created` or `failed`, but waiting for its turn to start
};

Outcome reached_if(bool reached) {
    return reached ? Outcome::reached : Outcome::missed;
}

/// Of start, and of restart once a later run is there.
Outcome judge_running(const Position& at) {
    if (!at.state) return Outcome::missed;
    switch (*at.state) {
        case StateName::healthy:
        case StateName::completed: return Outcome::reached;
        case StateName::starting:
        case StateName::stopping: return Outcome::open;
        case StateName::created:
        case StateName::failed: return at.comes_up ? Outcome::open : Outcome::missed;
        case StateName::stopped:
        case StateName::dead: break;
    }
    return Outcome::missed;
}

/// Of restart. `completed` in the old run means that no restart is on its way any more.
Outcome judge_restarted(const Position& at, Generation before) {
    const Outcome running = judge_running(at);
    if (running != Outcome::reached || at.generation > before) return running;
    return *at.state == StateName::healthy ? Outcome::open : Outcome::missed;
}

/// Of stop and kill: `wanted` or an equal; a start in between is a counter-order.
Outcome judge_ended(const Position& at, bool dead) {
    if (!at.state) return Outcome::reached;
    switch (*at.state) {
        case StateName::healthy:
        case StateName::stopping: return Outcome::open;
        case StateName::stopped:
        case StateName::completed: return reached_if(!dead);
        case StateName::dead: return Outcome::reached;
        case StateName::created: return reached_if(!dead && !at.comes_up);
        case StateName::starting:
        case StateName::failed: break;
    }
    return Outcome::missed;
}

/// wait --for=healthy and --for=completed: a failure is no end while restarts go on.
Outcome judge_patient(const Position& at, StateName wanted) {
    if (at.state == wanted) return Outcome::reached;
    if (!at.state) return Outcome::missed;
    switch (*at.state) {
        case StateName::starting:
        case StateName::healthy:
        case StateName::stopping:
        case StateName::failed: return Outcome::open;
        case StateName::created: return at.comes_up ? Outcome::open : Outcome::missed;
        case StateName::completed:
        case StateName::stopped:
        case StateName::dead: break;
    }
    return Outcome::missed;
}

Outcome judge_exited(const Position& at, Generation run) {
    const bool has_run =
        at.state == StateName::starting || at.state == StateName::healthy || at.state == StateName::stopping;
    return has_run && at.generation == run ? Outcome::open : Outcome::reached;
}

Outcome judge(Goal goal, Generation generation, bool patient, const Position& at) {
    switch (goal) {
        case Goal::running: return judge_running(at);
        case Goal::restarted: return judge_restarted(at, generation);
        case Goal::stopped: {
            const Outcome outcome = judge_ended(at, false);
            return patient && outcome == Outcome::missed ? Outcome::open : outcome;
        }
        case Goal::dead: return judge_ended(at, true);
        case Goal::removed: return at.state ? Outcome::open : Outcome::reached;
        case Goal::healthy: return judge_patient(at, StateName::healthy);
        case Goal::completed: return judge_patient(at, StateName::completed);
        case Goal::exited: return judge_exited(at, generation);
    }
    return Outcome::open;
}

std::string why_missed(std::optional<StateName> state, const Cause& cause,
                       std::optional<Duration> next_start_in, unsigned attempts,
                       std::optional<unsigned> max_attempts) {
    std::string text = state ? std::string(to_string(*state)) : "removed";
    if (const std::string reason = explain(cause); !reason.empty()) text += ": " + reason;
    if (!next_start_in) return text;
    text +=
        "; next start in " + format_duration_rough(*next_start_in) + " (attempt " + std::to_string(attempts);
    if (max_attempts) text += " of " + std::to_string(*max_attempts);
    return text + ")";
}

constexpr std::array<std::string_view, 8> kGoals = {"running", "restarted", "stopped",   "dead",
                                                    "removed", "healthy",   "completed", "exited"};

}  // namespace

std::string_view to_string(Goal goal) noexcept {
    return kGoals[static_cast<std::size_t>(goal)];
}

std::optional<Goal> parse_goal(std::string_view text) noexcept {
    const auto* const found = std::find(kGoals.begin(), kGoals.end(), text);
    if (found == kGoals.end()) return std::nullopt;
    return static_cast<Goal>(found - kGoals.begin());
}

std::optional<Settled> Waits::add(Ticket ticket, Goal goal, const TaskReport& report,
                                  Generation generation_before) {
    Generation generation = goal == Goal::exited ? report.generation : generation_before;
    // A restart that finds a run in flight is done by that run, whose generation is not a later one.
    if (goal == Goal::restarted && report.state == StateName::starting) generation = Generation{};
    const Position at{report.state, report.generation, report.waiting_turn};
    const bool patient = goal == Goal::stopped && report.desired == Desired::up;
    const Outcome outcome = judge(goal, generation, patient, at);
    if (outcome != Outcome::open) {
        Settled settled{ticket,       report.id, std::string(report.name), outcome == Outcome::reached,
                        report.state, {}};
        if (!settled.reached)
            settled.explanation = why_missed(report.state, *report.cause, report.next_start_in,
                                             report.attempts, report.max_attempts);
        return settled;
    }
    open(report.id, {ticket, goal, generation, report.last_change, patient});
    return std::nullopt;
}

void Waits::open(TaskId task, const Wait& wait) {
    by_task_[task].push_back(wait);
    Tasks& tasks = by_ticket_[wait.ticket];
    tasks.asked.push_back(task);
    ++tasks.open;
    ++size_;
}

std::vector<Waits::Kept> Waits::kept(Ticket ticket) const {
    std::vector<Kept> kept;
    const auto found = by_ticket_.find(ticket);
    if (found == by_ticket_.end()) return kept;
    for (const TaskId task : found->second.asked) {
        const auto waits = by_task_.find(task);
        if (waits == by_task_.end()) continue;
        for (const Wait& wait : waits->second)
            if (wait.ticket == ticket) kept.push_back({task, wait.goal, wait.generation, wait.patient});
    }
    return kept;
}

void Waits::restore(Ticket ticket, const Kept& kept) {
    open(kept.task, {ticket, kept.goal, kept.generation, 0, kept.patient});
}

std::vector<Settled> Waits::observe(const effect::Announce& change) {
    std::vector<Settled> settled;
    const auto found = by_task_.find(change.task);
    if (found == by_task_.end()) return settled;
    // Only a wait for its turn leads back to `created`; `failed` is announced before such a wait begins.
    const Position at{change.to, change.generation, change.to == StateName::created};
    const StateName last = change.to ? *change.to : change.from.value_or(StateName::created);
    std::erase_if(found->second, [&](const Wait& wait) {
        if (change.number <= wait.after) return false;
        const Outcome outcome = judge(wait.goal, wait.generation, wait.patient, at);
        if (outcome == Outcome::open) return false;
        Settled answer{wait.ticket, change.task, change.name, outcome == Outcome::reached, last, {}};
        if (!answer.reached)
            answer.explanation = why_missed(change.to, change.cause, change.next_start_in, change.attempts,
                                            change.max_attempts);
        settled.push_back(std::move(answer));
        drop(wait.ticket);
        return true;
    });
    if (found->second.empty()) by_task_.erase(found);
    return settled;
}

void Waits::cancel(Ticket ticket) {
    const auto found = by_ticket_.find(ticket);
    if (found == by_ticket_.end()) return;
    for (const TaskId task : found->second.asked) {
        const auto waits = by_task_.find(task);
        if (waits == by_task_.end()) continue;
        size_ -= std::erase_if(waits->second, [ticket](const Wait& wait) { return wait.ticket == ticket; });
        if (waits->second.empty()) by_task_.erase(waits);
    }
    by_ticket_.erase(found);
}

/// One wait of the ticket is settled. Its task stays listed, since looking for it would make an order for n
/// tasks cost n * n.
void Waits::drop(Ticket ticket) {
    --size_;
    const auto found = by_ticket_.find(ticket);
    if (--found->second.open == 0) by_ticket_.erase(found);
}

}  // namespace vigil::core
