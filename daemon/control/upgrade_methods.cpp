// daemon.upgrade, and what is promised to clients while the daemon goes on as another program.
#include <utility>

#include "control/methods.hpp"

namespace vigil::daemon {

void Methods::upgrade(Call& call, const protocol::params::DaemonUpgrade& params) {
    using protocol::ErrorCode;
    if (params.program && !params.program->starts_with('/'))
        return refuse(call,
                      {.code = ErrorCode::invalid_params,
                       .message = "\"program\" is to be an absolute path, not \"" + *params.program + "\""});
    if (upgrader_)
        return refuse(call, {.code = ErrorCode::busy,
                             .message = "another upgrade is on its way; try again in a moment"});
    say(call, params.program.value_or(""));
    call.session.promise();
    upgrader_ = Asker{call.session.id(), call.id};
    world_.upgrade(params.program.value_or(""), [this](const protocol::RpcError& error) {
        if (const auto asker = std::exchange(upgrader_, std::nullopt)) fail(*asker, error);
    });
}

void Methods::carry(const std::map<SessionId, std::size_t>& places, CarriedClients& to) const {
    for (const auto& [number, order] : orders_.orders()) {
        const auto session = places.find(order.answer.session);
        if (session == places.end()) continue;
        CarriedOrder carried{.session = session->second,
                             .request = std::nullopt,
                             .outcomes = order.answer.outcomes,
                             .deadline = order.deadline,
                             .report = {}};
        if (order.answer.request) carried.request = order.answer.request->json;
        for (const core::Waits::Kept& wait : world_.waits.kept(core::Ticket{number}))
            carried.awaited.push_back(
                {name_of(wait.task), wait.goal, static_cast<std::uint64_t>(wait.generation), wait.patient});
        if (order.answer.report) {
            json::Writer out(carried.report);
            protocol::write_reload_report(out, *order.answer.report);
        }
        to.orders.push_back(std::move(carried));
    }
    if (!upgrader_ || !upgrader_->request) return;
    const auto upgrader = places.find(upgrader_->session);
    if (upgrader == places.end()) return;
    to.upgrader_session = upgrader->second;
    to.upgrader_request = upgrader_->request->json;
}

void Methods::restore(const std::vector<SessionId>& sessions, const CarriedClients& from,
                      const protocol::UpgradeReport& report) {
    for (const CarriedOrder& order : from.orders)
        if (order.session < sessions.size()) restore_order(sessions[order.session], order);
    if (!from.upgrader_session || *from.upgrader_session >= sessions.size()) return;
    Session* session = find_session_(sessions[*from.upgrader_session]);
    if (session == nullptr) return;
    session->send(result_line({from.upgrader_request},
                              [&](json::Writer& out) { protocol::write_upgrade_report(out, report); }));
}

void Methods::restore_order(SessionId id, const CarriedOrder& carried) {
    Session* session = find_session_(id);
    if (session == nullptr) return;
    PendingOrders::Order order;
    order.answer.session = id;
    if (carried.request) order.answer.request = protocol::RequestId{*carried.request};
    order.answer.outcomes = carried.outcomes;
    order.deadline = carried.deadline;
    if (!carried.report.empty())
        if (auto report = protocol::parse_reload_report(carried.report))
            order.answer.report = std::move(*report);
    std::vector<core::Waits::Kept> waits;
    for (const CarriedWait& wait : carried.awaited) {
        const auto task = world_.supervisor.find(wait.task);
        if (!task) continue;
        waits.push_back({*task, wait.goal, core::Generation{wait.generation}, wait.patient});
        order.awaited.emplace(*task, wait.task);
    }
    session->promise();
    const core::Ticket ticket = orders_.restore(std::move(order));
    for (const core::Waits::Kept& wait : waits) world_.waits.restore(ticket, wait);
    // Nothing is awaited where every task has gone meanwhile.
    seal(ticket);
}

}  // namespace vigil::daemon
