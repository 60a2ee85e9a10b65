// Layer daemon. Orders whose answer waits for an outcome: which client asked, which tasks it still waits for,
// and when its patience ends. Decisions about outcomes are core::Waits'; this only collects them into
// answers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/waits.hpp"
#include "protocol/reload_report.hpp"
#include "protocol/rpc.hpp"

namespace vigil::daemon {

/// One client connection; never reused in a daemon's life.
enum class SessionId : std::uint64_t {};

class PendingOrders {
  public:
    struct Answer {
        SessionId session{};
        std::optional<protocol::RequestId> request;  ///< nothing: the client wants no answer
        std::vector<protocol::TaskOutcome> outcomes;
        bool timed_out = false;
        /// What the outcomes are a part of; nothing: the result is {"tasks":[...]}.
        std::optional<protocol::ReloadReport> report;
    };
    struct Order {
        Answer answer;
        std::unordered_map<core::TaskId, std::string> awaited;  ///< names
        core::TimePoint deadline = core::kNever;
        bool sealed = false;
    };

    /// Opens an order and gives its ticket. Tell its tasks with expect() or note(), then close it with
    /// seal().
    core::Ticket open(SessionId session, std::optional<protocol::RequestId> request,
                      core::TimePoint deadline);
    /// A task whose outcome is known already.
    void note(core::Ticket ticket, protocol::TaskOutcome outcome);
    /// A task whose outcome core::Waits will settle.
    void expect(core::Ticket ticket, core::TaskId task, std::string name);
    /// The result is to be this report, with the outcomes in it.
    void answer_with(core::Ticket ticket, protocol::ReloadReport report);
    /// Forgets an order that was opened and not sealed; it is answered in another way.
    void drop(core::Ticket ticket);
    /// No more tasks come. The answer, when nothing is awaited.
    [[nodiscard]] std::optional<Answer> seal(core::Ticket ticket);

    /// The answer that this outcome completes, if it does. `gone`: the task is no more.
    [[nodiscard]] std::optional<Answer> settle(const core::Settled& settled, bool gone);
    /// Answers whose time is up, each with what was reached so far; `status_of` names a task's present state.
    [[nodiscard]] std::vector<Answer> expire(core::TimePoint now, core::Waits& waits,
                                             const std::function<std::string(core::TaskId)>& status_of);
    /// The client is gone. Its orders stand, but nobody waits for them.
    void forget(SessionId session, core::Waits& waits);

    [[nodiscard]] core::TimePoint next_deadline() const;

    // For a daemon that goes on as another program.
    [[nodiscard]] const std::unordered_map<std::uint64_t, Order>& orders() const noexcept { return orders_; }
    /// Takes up an order that was sealed; its waits are the caller's to restore under the ticket.
    core::Ticket restore(Order order);

  private:
    [[nodiscard]] Answer finish(std::unordered_map<std::uint64_t, Order>::iterator order);

    std::uint64_t last_ticket_ = 0;
    std::unordered_map<std::uint64_t, Order> orders_;
    std::multimap<core::TimePoint, std::uint64_t> deadlines_;
};

/// The outcome of one task as it is told to a client.
[[nodiscard]] protocol::TaskOutcome outcome_of(const core::Settled& settled, bool gone);

}  // namespace vigil::daemon
