// Waits that go over to the program that a daemon goes on as.
#include <doctest/doctest.h>

#include "core/waits.hpp"
#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

constexpr Goal kGoals[] = {Goal::running, Goal::restarted, Goal::stopped,   Goal::dead,
                           Goal::removed, Goal::healthy,   Goal::completed, Goal::exited};

TEST_CASE("every goal has a name of its own and is found by it") {
    for (const Goal goal : kGoals) {
        REQUIRE(parse_goal(to_string(goal)));
        CHECK(*parse_goal(to_string(goal)) == goal);
    }
    CHECK_FALSE(parse_goal("runing"));
    CHECK_FALSE(parse_goal(""));
}

TEST_CASE("a wait that was kept is settled by the same change as the one it was") {
    Stage stage;
    stage.given_in(StateName::healthy);
    const Generation before = stage.report().generation;
    stage.order(event::Stop{by_operator(), false});
    Waits first;
    REQUIRE_FALSE(first.add(Ticket{7}, Goal::stopped, stage.report(), before));

    Waits second;
    for (const Waits::Kept& kept : first.kept(Ticket{7})) second.restore(Ticket{9}, kept);
    CHECK(second.size() == 1);
    CHECK(second.kept(Ticket{7}).empty());

    effect::Announce change;
    // The numbers of a new supervisor begin at 1.
    change.number = 1;
    change.task = stage.report().id;
    change.name = "t";
    change.from = StateName::stopping;
    change.to = StateName::stopped;
    change.generation = before;
    const auto settled = second.observe(change);
    REQUIRE(settled.size() == 1);
    CHECK(settled.front().ticket == Ticket{9});
    CHECK(settled.front().reached);
    CHECK(second.size() == 0);
}

TEST_CASE("what is kept of a ticket are its open waits, whatever was settled before") {
    Waits waits;
    for (std::uint32_t task = 1; task <= 3; ++task)
        waits.restore(Ticket{1}, {TaskId{task}, Goal::healthy, Generation{task}, false});
    effect::Announce change;
    change.number = 1;
    change.task = TaskId{2};
    change.to = StateName::healthy;
    CHECK(waits.observe(change).size() == 1);
    const auto kept = waits.kept(Ticket{1});
    REQUIRE(kept.size() == 2);
    CHECK(kept[0].task == TaskId{1});
    CHECK(kept[1].task == TaskId{3});
    CHECK(kept[1].generation == Generation{3});
    waits.cancel(Ticket{1});
    CHECK(waits.kept(Ticket{1}).empty());
}

}  // namespace
}  // namespace vigil::core::testing
