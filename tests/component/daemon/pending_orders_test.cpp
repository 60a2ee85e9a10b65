#include "control/pending_orders.hpp"

#include <doctest/doctest.h>

using namespace vigil;
using namespace std::chrono_literals;
using daemon::PendingOrders;
using daemon::SessionId;
using Kind = protocol::TaskOutcome::Kind;

namespace {

const core::TimePoint kStart{1000s};

core::Settled reached(core::Ticket ticket, std::uint32_t task, std::string name) {
    core::Settled settled;
    settled.ticket = ticket;
    settled.task = core::TaskId{task};
    settled.name = std::move(name);
    settled.reached = true;
    settled.state = core::StateName::stopped;
    return settled;
}

struct Orders {
    PendingOrders orders;
    core::Waits waits;

    core::Ticket open(core::TimePoint deadline = core::kNever) {
        return orders.open(SessionId{5}, protocol::RequestId{"17"}, deadline);
    }
};

}  // namespace

TEST_CASE("an order is answered once, when the last of its tasks is where it should be") {
    Orders given;
    const auto ticket = given.open();
    given.orders.expect(ticket, core::TaskId{2}, "web");
    given.orders.expect(ticket, core::TaskId{1}, "api");
    CHECK_FALSE(given.orders.seal(ticket).has_value());
    CHECK_FALSE(given.orders.settle(reached(ticket, 2, "web"), false).has_value());
    const auto answer = given.orders.settle(reached(ticket, 1, "api"), false);
    REQUIRE(answer.has_value());
    REQUIRE(answer->outcomes.size() == 2);
    CHECK(answer->outcomes[0].name == "api");
    CHECK(answer->outcomes[1].name == "web");
    CHECK(answer->request->json == "17");
    CHECK_FALSE(given.orders.settle(reached(ticket, 1, "api"), false).has_value());
}

TEST_CASE("an order for tasks that are there already is answered when it is sealed") {
    Orders given;
    const auto ticket = given.open();
    given.orders.note(ticket, {.name = "api", .kind = Kind::done, .status = "stopped", .explanation = {}});
    CHECK(given.orders.seal(ticket).has_value());
}

TEST_CASE("what settles before the order is sealed does not answer it early") {
    Orders given;
    const auto ticket = given.open();
    given.orders.expect(ticket, core::TaskId{1}, "api");
    CHECK_FALSE(given.orders.settle(reached(ticket, 1, "api"), false).has_value());
    given.orders.expect(ticket, core::TaskId{2}, "web");
    CHECK_FALSE(given.orders.seal(ticket).has_value());
    CHECK(given.orders.settle(reached(ticket, 2, "web"), false).has_value());
}

TEST_CASE("when the time is up the answer tells what was reached and what is pending") {
    Orders given;
    const auto ticket = given.open(kStart + 2s);
    given.orders.expect(ticket, core::TaskId{1}, "api");
    given.orders.expect(ticket, core::TaskId{2}, "web");
    (void)given.orders.seal(ticket);
    (void)given.orders.settle(reached(ticket, 2, "web"), false);
    const auto state = [](core::TaskId) { return std::string("stopping"); };
    CHECK(given.orders.next_deadline() == kStart + 2s);
    CHECK(given.orders.expire(kStart + 1999ms, given.waits, state).empty());
    const auto expired = given.orders.expire(kStart + 2s, given.waits, state);
    REQUIRE(expired.size() == 1);
    CHECK(expired[0].timed_out);
    CHECK(expired[0].outcomes[0].kind == Kind::pending);
    CHECK(expired[0].outcomes[0].status == "stopping");
    CHECK(expired[0].outcomes[1].kind == Kind::done);
    CHECK(given.orders.next_deadline() == core::kNever);
}

TEST_CASE("nasty 36: the orders of a client that is gone are forgotten, other clients' are not") {
    Orders given;
    const auto gone = given.open(kStart + 1s);
    given.orders.expect(gone, core::TaskId{1}, "api");
    (void)given.orders.seal(gone);
    const auto other = given.orders.open(SessionId{6}, protocol::RequestId{"1"}, kStart + 1s);
    given.orders.expect(other, core::TaskId{1}, "api");
    (void)given.orders.seal(other);
    given.orders.forget(SessionId{5}, given.waits);
    CHECK_FALSE(given.orders.settle(reached(gone, 1, "api"), false).has_value());
    CHECK(given.orders.settle(reached(other, 1, "api"), false).has_value());
}

TEST_CASE("a removed task has no state any more") {
    const auto outcome = daemon::outcome_of(reached(core::Ticket{1}, 1, "api"), true);
    CHECK(outcome.status.empty());
    CHECK(outcome.kind == Kind::done);
}

TEST_CASE("an order that was taken up again is answered like one that was given here") {
    Orders given;
    PendingOrders::Order order;
    order.answer.session = SessionId{8};
    order.answer.request = protocol::RequestId{"3"};
    order.answer.outcomes.push_back({.name = "db"});
    order.awaited.emplace(core::TaskId{4}, "api");
    order.deadline = kStart;
    const auto ticket = given.orders.restore(std::move(order));
    CHECK_FALSE(given.orders.seal(ticket));
    CHECK(given.orders.next_deadline() == kStart);
    const auto answer = given.orders.settle(reached(ticket, 4, "api"), false);
    REQUIRE(answer);
    CHECK(answer->session == SessionId{8});
    CHECK(answer->request->json == "3");
    CHECK(answer->outcomes.size() == 2);
    CHECK(given.orders.orders().empty());
    CHECK(given.orders.next_deadline() == core::kNever);
}
