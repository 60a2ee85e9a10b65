#include "simulation/clients.hpp"

#include <algorithm>
#include <iterator>

namespace vigil::core::simulation {

void Clients::wait(Ticket ticket, Goal goal, const TaskReport& after, Generation generation_before) {
    const auto settled = waits_.add(ticket, goal, after, generation_before);
    if (settled) {
        promises_.require(settled->ticket == ticket && settled->task == after.id,
                          "an answer is for the one who asked", after.id);
        check(goal, *settled, false);
    } else {
        open_.emplace(std::pair(ticket, after.id), Open{goal, after.last_change});
    }
}

void Clients::leave(std::size_t which) {
    if (open_.empty()) return;
    const Ticket ticket =
        std::next(open_.begin(), static_cast<std::ptrdiff_t>(which % open_.size()))->first.first;
    waits_.cancel(ticket);
    std::erase_if(open_, [ticket](const auto& one) { return one.first.first == ticket; });
}

void Clients::observe(const effect::Announce& change) {
    for (const Settled& answer : waits_.observe(change)) {
        const auto asked = open_.find({answer.ticket, answer.task});
        promises_.require(asked != open_.end(), "an answer comes once, and to one who waits", answer.task);
        if (asked == open_.end()) continue;
        promises_.require(change.number > asked->second.after, "a change from before an order answers nobody",
                          answer.task);
        check(asked->second.goal, answer, !change.to);
        open_.erase(asked);
    }
}

/// What an operator may rely on who was answered "done".
void Clients::check(Goal goal, const Settled& answer, bool removed) {
    promises_.require(answer.reached || !answer.explanation.empty(), "who is told no is told why",
                      answer.task);
    if (!answer.reached) return;
    const bool up = !removed && (answer.state == StateName::healthy || answer.state == StateName::completed);
    const bool nothing_runs = std::none_of(world_.processes().begin(), world_.processes().end(),
                                           [&](const auto& run) { return run.first.first == answer.task; });
    switch (goal) {
        case Goal::running:
        case Goal::restarted:
            promises_.require(up, "a start is done when the task is up", answer.task);
            return;
        case Goal::healthy:
            promises_.require(!removed && answer.state == StateName::healthy,
                              "healthy is said of a healthy task", answer.task);
            return;
        case Goal::completed:
            promises_.require(!removed && answer.state == StateName::completed,
                              "completed is said of a completed task", answer.task);
            return;
        case Goal::removed:
            promises_.require(removed, "a removal is done when the name is free", answer.task);
            [[fallthrough]];
        case Goal::stopped:
        case Goal::dead:
            promises_.require(nothing_runs, "who is told of an end finds nothing left of the run",
                              answer.task);
            return;
        case Goal::exited: return;
    }
}

void Clients::look() {
    promises_.require(waits_.size() == open_.size(), "who waits is neither forgotten nor answered twice");
}

void Clients::finish() {
    promises_.require(open_.empty(), "after a shutdown nobody waits any more");
}

void Clients::hang_up() {
    waits_ = {};
    open_.clear();
}

void Clients::carry_over(const std::map<TaskId, TaskId>& new_ids) {
    Waits next;
    std::map<std::pair<Ticket, TaskId>, Open> open;
    Ticket last{};
    for (const auto& [key, wait] : open_) {
        if (key.first != last)
            for (Waits::Kept kept : waits_.kept(key.first)) {
                const auto id = new_ids.find(kept.task);
                promises_.require(id != new_ids.end(), "an upgrade keeps every task that is waited for",
                                  kept.task);
                if (id == new_ids.end()) continue;
                kept.task = id->second;
                next.restore(key.first, kept);
            }
        last = key.first;
        if (const auto id = new_ids.find(key.second); id != new_ids.end())
            open.emplace(std::pair(key.first, id->second), Open{wait.goal, 0});
    }
    waits_ = std::move(next);
    open_ = std::move(open);
}

}  // namespace vigil::core::simulation
