#include "control/pending_orders.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace vigil::daemon {
namespace {

std::uint64_t number(core::Ticket ticket) {
    return static_cast<std::uint64_t>(ticket);
}

}  // namespace

protocol::TaskOutcome outcome_of(const core::Settled& settled, bool gone) {
    using Kind = protocol::TaskOutcome::Kind;
    return {.name = settled.name,
            .kind = settled.reached ? Kind::done : Kind::failed,
            .status = gone ? std::string() : std::string(core::to_string(settled.state)),
            .explanation = settled.explanation};
}

core::Ticket PendingOrders::open(SessionId session, std::optional<protocol::RequestId> request,
                                 core::TimePoint deadline) {
    Order order;
    order.answer.session = session;
    order.answer.request = std::move(request);
    order.deadline = deadline;
    return restore(std::move(order));
}

core::Ticket PendingOrders::restore(Order order) {
    const std::uint64_t ticket = ++last_ticket_;
    if (order.deadline != core::kNever) deadlines_.emplace(order.deadline, ticket);
    orders_.emplace(ticket, std::move(order));
    return core::Ticket{ticket};
}

void PendingOrders::note(core::Ticket ticket, protocol::TaskOutcome outcome) {
    orders_.at(number(ticket)).answer.outcomes.push_back(std::move(outcome));
}

void PendingOrders::expect(core::Ticket ticket, core::TaskId task, std::string name) {
    orders_.at(number(ticket)).awaited.emplace(task, std::move(name));
}

void PendingOrders::answer_with(core::Ticket ticket, protocol::ReloadReport report) {
    orders_.at(number(ticket)).answer.report = std::move(report);
}

void PendingOrders::drop(core::Ticket ticket) {
    const auto order = orders_.find(number(ticket));
    if (order != orders_.end()) (void)finish(order);
}

std::optional<PendingOrders::Answer> PendingOrders::seal(core::Ticket ticket) {
    const auto order = orders_.find(number(ticket));
    VIGIL_CHECK(order != orders_.end(), "an order was sealed twice");
    order->second.sealed = true;
    if (!order->second.awaited.empty()) return std::nullopt;
    return finish(order);
}

std::optional<PendingOrders::Answer> PendingOrders::settle(const core::Settled& settled, bool gone) {
    const auto order = orders_.find(number(settled.ticket));
    if (order == orders_.end()) return std::nullopt;
    auto& awaited = order->second.awaited;
    if (awaited.erase(settled.task) == 0) return std::nullopt;
    order->second.answer.outcomes.push_back(outcome_of(settled, gone));
    if (!awaited.empty() || !order->second.sealed) return std::nullopt;
    return finish(order);
}

std::vector<PendingOrders::Answer> PendingOrders::expire(
    core::TimePoint now, core::Waits& waits, const std::function<std::string(core::TaskId)>& status_of) {
    std::vector<Answer> expired;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto order = orders_.find(deadlines_.begin()->second);
        waits.cancel(core::Ticket{order->first});
        for (auto& [task, name] : order->second.awaited)
            order->second.answer.outcomes.push_back({.name = std::move(name),
                                                     .kind = protocol::TaskOutcome::Kind::pending,
                                                     .status = status_of(task),
                                                     .explanation = "not reached in time; the order stands"});
        order->second.answer.timed_out = true;
        expired.push_back(finish(order));
    }
    return expired;
}

void PendingOrders::forget(SessionId session, core::Waits& waits) {
    for (auto order = orders_.begin(); order != orders_.end();) {
        const auto next = std::next(order);
        if (order->second.answer.session == session) {
            waits.cancel(core::Ticket{order->first});
            (void)finish(order);
        }
        order = next;
    }
}

core::TimePoint PendingOrders::next_deadline() const {
    return deadlines_.empty() ? core::kNever : deadlines_.begin()->first;
}

PendingOrders::Answer PendingOrders::finish(std::unordered_map<std::uint64_t, Order>::iterator order) {
    const auto [first, last] = deadlines_.equal_range(order->second.deadline);
    for (auto entry = first; entry != last; ++entry) {
        if (entry->second != order->first) continue;
        deadlines_.erase(entry);
        break;
    }
    Answer answer = std::move(order->second.answer);
    orders_.erase(order);
    std::sort(answer.outcomes.begin(), answer.outcomes.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return answer;
}

}  // namespace vigil::daemon
