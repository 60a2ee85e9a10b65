// task.wait: an answer when tasks get somewhere, without an order.
#include <fmt/format.h>

#include "control/methods.hpp"

namespace vigil::daemon {
namespace {

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

core::Goal goal_of(protocol::params::TaskWait::For what) {
    using For = protocol::params::TaskWait::For;
    switch (what) {
        case For::healthy: return core::Goal::healthy;
        case For::stopped: return core::Goal::stopped;
        case For::completed: return core::Goal::completed;
        case For::exit: return core::Goal::exited;
    }
    return core::Goal::healthy;
}

/// What all may wait for at a time before each user is looked at, and what each may then. About 130 bytes
/// each; more than there can be tasks.
constexpr std::size_t kWaitsOfAll = 100'000;
constexpr std::size_t kWaitsOfUser = 50'000;
static_assert(kWaitsOfUser > config::kMaxTasks);

}  // namespace

bool Methods::may_wait_for(const Call& call, std::size_t tasks) const {
    if (world_.waits.size() + tasks <= kWaitsOfAll) return true;
    std::size_t own = tasks;
    for (const auto& [ticket, order] : orders_.orders()) {
        const Session* const session = find_session_(order.answer.session);
        if (session != nullptr && session->peer().uid == call.session.peer().uid) own += order.awaited.size();
    }
    return own <= kWaitsOfUser;
}

void Methods::wait(Call& call, const protocol::params::TaskWait& params) {
    const auto tasks = select(call, params.names);
    if (!tasks) return;
    if (!may_wait_for(call, tasks->size()))
        return refuse(call,
                      {.code = protocol::ErrorCode::busy,
                       .message = fmt::format("you wait for {} tasks already, counting each as often as "
                                              "it is waited for",
                                              kWaitsOfUser)});
    const core::Ticket ticket = open(call, params.timeout);
    for (const core::TaskId task : *tasks) {
        const auto report = world_.supervisor.report(task, clock_now());
        const auto settled = world_.waits.add(ticket, goal_of(params.what), *report, report->generation);
        if (settled) {
            orders_.note(ticket, outcome_of(*settled, false));
        } else {
            orders_.expect(ticket, task, std::string(report->name));
        }
    }
    seal(ticket);
}

}  // namespace vigil::daemon
