// Supervised time: it stands still while the owner is away.
#include <doctest/doctest.h>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

TEST_CASE(
    "nasty 41: an owner stopped longer than every timeout kills nobody whose beats were queued meanwhile") {
    Stage stage;
    stage.given_healthy(beating());
    stage.oversleep(1h, [&] { stage.beats(); });
    CHECK(stage.state() == "healthy");
    CHECK(stage.signals().empty());
}

TEST_CASE("every deadline moves by as much as the owner came late") {
    Stage stage;
    TaskSpec spec = plain("failing");
    spec.restart.edit().base_delay = 100s;
    stage.given_healthy(spec);
    stage.exits(1);
    TaskSpec other = plain("stopping");
    other.stop.edit().timeout = 40s;
    const TaskId stopping = stage.given(other);
    stage.supervisor.handle(stopping, event::Spawned{Generation{1}, 1}, stage.now);
    stage.supervisor.handle(stopping, event::Stop{by_operator()}, stage.now);
    // The first deadline is missed by an hour; as an hour, and the grace on top, is what all of them move by.
    stage.oversleep(40s + 1h);
    CHECK(stage.kills() == 0);
    CHECK(stage.supervisor.next_deadline() == stage.now + kAwayGrace);
    CHECK(stage.report().next_start_in == Duration(60s + kAwayGrace));
}

TEST_CASE(
    "nasty 47: tasks that were frozen together with their owner get time for a sign of life, then are "
    "judged") {
    Stage stage;
    stage.given_healthy(beating());
    stage.oversleep(1h);
    CHECK(stage.state() == "healthy");
    SUBCASE("it beats soon after") {
        stage.advance(50ms);
        stage.beats();
        stage.advance(1900ms);
        CHECK(stage.state() == "healthy");
    }
    SUBCASE("it really is silent") {
        stage.advance(kAwayGrace);
        CHECK(stage.state() == "stopping");
    }
}

TEST_CASE("the grace is never longer than what was left when the owner was last seen") {
    Stage stage;
    stage.given_healthy(beating());
    stage.advance(1900ms);
    stage.oversleep(1h);
    CHECK(stage.supervisor.next_deadline() == stage.now + 100ms);
}

TEST_CASE("the ordinary lateness of a timer is no absence") {
    Stage stage;
    stage.given_healthy(beating());
    stage.oversleep(2s + kAwayThreshold);
    CHECK(stage.state() == "stopping");
}

TEST_CASE("nasty 46: only the steady clock counts, so an idle owner may sleep for a year") {
    Stage stage;
    stage.given_healthy();
    stage.oversleep(24h * 365);
    CHECK(stage.state() == "healthy");
    CHECK(stage.report().uptime == Duration(24h * 365));
}

TEST_CASE("what is shown is in the owner's time, however long it was away") {
    Stage stage;
    const TimePoint started = stage.now;
    stage.given_healthy(beating());
    stage.oversleep(1h, [&] { stage.beats(); });
    stage.advance(1s);
    CHECK(stage.report().started_at == started);
    CHECK(stage.report().uptime == Duration(1h + 1s));
    CHECK(stage.report().last_heartbeat_age == Duration(1s));
    stage.exits(1);
    CHECK(stage.report().last_exit->at == stage.now);
}

TEST_CASE("a long turn is judged by its own time: what came due during it waits for the next") {
    Stage stage;
    stage.given_healthy(beating());
    const TimePoint began = stage.now;
    stage.supervisor.wake(began);
    // The turn's work takes five seconds, but every call in it is given the time at which it began.
    stage.supervisor.judge(began);
    CHECK(stage.state() == "healthy");
    stage.oversleep(5s, [&] { stage.beats(); });
    CHECK(stage.state() == "healthy");
}

TEST_CASE(
    "an order that is the first thing an owner reads when it wakes takes nobody the time of its absence") {
    Stage stage;
    TaskSpec spec = plain("failing");
    spec.restart.edit().base_delay = 1s;
    const TaskId failing = stage.given(spec);
    stage.supervisor.handle(failing, event::Spawned{Generation{1}, 1}, stage.now);
    stage.supervisor.handle(failing, event::Exited{Generation{1}, {}, true}, stage.now);
    TaskSpec slow = plain("stopping");
    slow.stop.edit().timeout = 40s;
    const TaskId stopping = stage.given(slow);
    stage.supervisor.handle(stopping, event::Spawned{Generation{1}, 2}, stage.now);
    stage.supervisor.handle(stopping, event::Stop{by_operator()}, stage.now);
    stage.turn();
    // The restart is slept through; the order makes it happen before anybody has looked at the clock.
    stage.now += 39s;
    stage.supervisor.handle(failing, event::Start{by_operator()}, stage.now);
    stage.turn();
    stage.advance(38s);
    CHECK(stage.kills() == 0);
    stage.advance(3s);
    CHECK(stage.kills() == 1);
}

TEST_CASE(
    "what an order asks for in the moment in which its owner wakes is not put off by the owner's absence") {
    Stage stage;
    stage.given_healthy(beating());
    TaskSpec other = plain("other");
    other.stop.edit().timeout = 10s;
    const TaskId stopped = stage.given(other);
    stage.supervisor.handle(stopped, event::Spawned{Generation{1}, 1}, stage.now);
    stage.turn();
    // The beat is slept through, which is what tells how long the owner was away.
    stage.now += 1h;
    stage.supervisor.handle(stopped, event::Stop{by_operator()}, stage.now);
    stage.turn();
    CHECK(stage.supervisor.report(stopped, stage.now)->kill_in == Duration(10s));
}

}  // namespace
}  // namespace vigil::core::testing
