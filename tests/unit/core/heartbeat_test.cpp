// Heartbeats: when the first is due, how long a silence may last, and what follows one that lasted too long.
#include <doctest/doctest.h>

#include <csignal>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

event::Notified trigger() {
    event::Notified message;
    message.trigger = true;
    return message;
}

event::Notified watchdog(Duration timeout) {
    event::Notified message;
    message.watchdog = timeout;
    return message;
}

TEST_CASE("nasty 45: a first beat that never comes is a ready-timeout, not a late heartbeat") {
    Stage stage;
    stage.given(beating());
    stage.comes_up();
    stage.advance(3s);
    CHECK(stage.state() == "stopping");
    CHECK(stage.cause() == "ready-timeout");
    CHECK(stage.signals() == "15");
}

TEST_CASE("the first beat makes a task healthy, and each beat buys one timeout") {
    Stage stage;
    stage.given(beating());
    stage.comes_up();
    stage.beats();
    CHECK(stage.state() == "healthy");
    for (int i = 0; i < 20; ++i) {
        stage.advance(2s - 1ns);
        CHECK(stage.state() == "healthy");
        stage.beats();
    }
    CHECK(stage.report().last_heartbeat_age == Duration(0));
    stage.advance(1500ms);
    CHECK(stage.report().last_heartbeat_age == Duration(1500ms));
}

TEST_CASE(
    "nasty 43: silence gets the heartbeat signal at its deadline, SIGKILL after the stop time, then fails") {
    Stage stage;
    stage.given_healthy(beating());
    stage.advance(2s - 1ns);
    CHECK(stage.state() == "healthy");
    stage.advance(1ns);
    CHECK(stage.state() == "stopping");
    CHECK(stage.signals() == std::to_string(SIGABRT));
    CHECK(explain(*stage.report().cause) == "no heartbeat for 2s");
    stage.advance(10s);
    CHECK(stage.kills() == 1);
    stage.dies(SIGKILL);
    CHECK(stage.state() == "failed");
    CHECK(stage.cause() == "heartbeat-timeout");
    CHECK(stage.report().attempts == 1);
}

TEST_CASE(
    "nasty 44: a beat at the deadline instant counts, as everything is read before anything is judged") {
    Stage stage;
    stage.given_healthy(beating());
    stage.oversleep(2s, [&] { stage.beats(); });
    CHECK(stage.state() == "healthy");
    CHECK(stage.supervisor.next_deadline() == stage.now + 2s);
}

TEST_CASE("a beat leaves the queue of deadlines alone until the old deadline comes due") {
    Stage stage;
    stage.given_healthy(beating());
    const TimePoint first_due = stage.now + 2s;
    stage.now += 1s;
    stage.beats();
    CHECK(stage.supervisor.next_deadline() == first_due);
    stage.advance(1s);
    CHECK(stage.supervisor.next_deadline() == first_due + 1s);
    CHECK(stage.state() == "healthy");
}

TEST_CASE("ready at exec with a heartbeat: the first beat is due after the initial delay") {
    TaskSpec spec = beating();
    spec.ready = {ReadyOn::exec, std::nullopt};
    Stage stage;
    stage.given(spec);
    stage.comes_up();
    CHECK(stage.state() == "healthy");
    stage.advance(3s - 1ns);
    CHECK(stage.state() == "healthy");
    SUBCASE("missed, it is a heartbeat-timeout") {
        stage.advance(1ns);
        CHECK(stage.cause() == "heartbeat-timeout");
        CHECK(explain(*stage.report().cause) == "no heartbeat for 3s");
    }
    SUBCASE("seen, the timeout counts from it") {
        stage.beats();
        stage.advance(2s - 1ns);
        CHECK(stage.state() == "healthy");
        stage.advance(1ns);
        CHECK(explain(*stage.report().cause) == "no heartbeat for 2s");
    }
}

TEST_CASE("ready by notify: beats are judged from READY=1 on, and READY=1 is no beat") {
    TaskSpec spec = beating();
    spec.ready = {ReadyOn::notify, 60s};
    Stage stage;
    stage.given(spec);
    stage.comes_up();
    stage.beats();
    CHECK(stage.state() == "starting");
    stage.advance(30s);
    CHECK(stage.state() == "starting");
    CHECK(stage.report().last_heartbeat_age == Duration(30s));
    stage.says_ready();
    CHECK(stage.state() == "healthy");
    stage.advance(1s);
    stage.says_ready();
    stage.advance(1s);
    CHECK(stage.state() == "stopping");
    CHECK(stage.cause() == "heartbeat-timeout");
}

TEST_CASE("READY=1 and WATCHDOG=1 in one datagram act together") {
    TaskSpec spec = beating();
    spec.ready = {ReadyOn::notify, 60s};
    Stage stage;
    stage.given(spec);
    stage.comes_up();
    event::Notified both;
    both.ready = both.beat = true;
    stage.notifies(both);
    CHECK(stage.state() == "healthy");
    CHECK(stage.report().last_heartbeat_age == Duration(0));
}

TEST_CASE("a beat that overtakes Spawned makes the task healthy once Spawned is there") {
    Stage stage;
    stage.given(beating());
    stage.beats();
    stage.comes_up();
    CHECK(stage.state() == "healthy");
}

TEST_CASE("WATCHDOG=trigger is a heartbeat-timeout at once, healthy or starting, and before Spawned") {
    Stage stage;
    stage.given(beating());
    SUBCASE("healthy") {
        stage.gets_healthy();
        stage.notifies(trigger());
    }
    SUBCASE("starting") {
        stage.comes_up();
        stage.notifies(trigger());
    }
    SUBCASE("before Spawned") {
        stage.notifies(trigger());
        CHECK(stage.state() == "starting");
        stage.comes_up();
    }
    CHECK(stage.state() == "stopping");
    CHECK(stage.cause() == "heartbeat-timeout");
    CHECK(stage.signals() == std::to_string(SIGABRT));
    CHECK(explain(*stage.report().cause) == "reported its own failure (WATCHDOG=trigger)");
}

TEST_CASE("WATCHDOG_USEC changes the timeout of this run, from now on") {
    Stage stage;
    stage.given_healthy(beating());
    stage.advance(1s);
    stage.notifies(watchdog(10s));
    CHECK(stage.report().heartbeat_timeout == Duration(10s));
    stage.advance(10s - 1ns);
    CHECK(stage.state() == "healthy");
    stage.notifies(watchdog(100ms));
    stage.advance(100ms);
    CHECK(stage.state() == "stopping");
    CHECK(explain(*stage.report().cause) == "no heartbeat for 100ms");
    stage.dies(6);
    stage.advance(1s);
    CHECK(stage.report().heartbeat_timeout == Duration(2s));
}

TEST_CASE(
    "nasty 39: WATCHDOG_USEC of zero or less is ignored, and any is for a task without a heartbeat rule") {
    Stage stage;
    stage.given_healthy(beating());
    const TimePoint due = stage.supervisor.next_deadline();
    stage.advance(1s);
    stage.notifies(watchdog(0s));
    stage.notifies(watchdog(-1s));
    CHECK(stage.supervisor.next_deadline() == due);
    stage.advance(1s);
    CHECK(stage.state() == "stopping");

    Stage other;
    other.given_healthy(notifying());
    other.notifies(watchdog(1ns));
    other.advance(1h);
    CHECK(other.state() == "healthy");
    CHECK_FALSE(other.report().heartbeat_timeout.has_value());
}

TEST_CASE("EXTEND_TIMEOUT_USEC buys no silence while healthy") {
    Stage stage;
    stage.given_healthy(beating());
    event::Notified extend;
    extend.extend_timeout = 1h;
    stage.notifies(extend);
    stage.advance(2s);
    CHECK(stage.state() == "stopping");
}

TEST_CASE("a beat does not save a task that is being stopped") {
    Stage stage;
    stage.given_healthy(beating());
    stage.stop();
    stage.advance(5s);
    stage.beats();
    stage.advance(5s);
    CHECK(stage.kills() == 1);
}

}  // namespace
}  // namespace vigil::core::testing
