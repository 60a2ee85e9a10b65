// Pause: nothing of the run's time passes until resume.
#include <doctest/doctest.h>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

TEST_CASE("a paused task is frozen, not judged, and has as much time left afterwards as before") {
    Stage stage;
    stage.given_healthy(beating());
    stage.advance(1500ms);
    stage.forget();
    stage.pause();
    stage.pause();
    CHECK(stage.story() == "freeze");
    CHECK(stage.report().paused);
    CHECK(stage.state() == "healthy");
    stage.advance(1h);
    CHECK(stage.state() == "healthy");
    stage.resume();
    stage.resume();
    CHECK(stage.story() == "freeze thaw");
    stage.advance(500ms - 1ns);
    CHECK(stage.state() == "healthy");
    stage.advance(1ns);
    CHECK(stage.state() == "stopping");
}

TEST_CASE("a beat that was queued before the pause buys one timeout after the resume") {
    Stage stage;
    stage.given_healthy(beating());
    stage.advance(1s);
    stage.pause();
    stage.advance(10s);
    stage.beats();
    stage.advance(1h);
    stage.resume();
    CHECK(stage.supervisor.next_deadline() <= stage.now + 2s);
    stage.advance(2s - 1ns);
    CHECK(stage.state() == "healthy");
    stage.advance(1ns);
    CHECK(stage.state() == "stopping");
}

TEST_CASE("WATCHDOG=trigger that was queued before the pause acts at the resume") {
    Stage stage;
    stage.given_healthy(beating());
    stage.pause();
    event::Notified message;
    message.trigger = true;
    stage.notifies(message);
    stage.advance(1h);
    CHECK(stage.state() == "healthy");
    stage.resume();
    stage.turn();
    CHECK(stage.cause() == "heartbeat-timeout");
}

TEST_CASE("readiness, stability and the stop time stand still during a pause") {
    Stage stage;
    SUBCASE("readiness") {
        stage.given_in(StateName::starting);
        stage.advance(59s);
        stage.pause();
        stage.advance(1h);
        stage.resume();
        stage.advance(1s - 1ns);
        CHECK(stage.state() == "starting");
        stage.advance(1ns);
        CHECK(stage.state() == "stopping");
    }
    SUBCASE("stability") {
        stage.given_healthy();
        stage.exits(1);
        stage.advance(1s);
        stage.comes_up();
        stage.pause();
        stage.advance(1h);
        CHECK(stage.report().attempts == 1);
        stage.resume();
        stage.advance(80s);
        CHECK(stage.report().attempts == 0);
    }
    SUBCASE("the stop time") {
        stage.given_healthy();
        stage.stop();
        stage.pause();
        stage.advance(1h);
        CHECK(stage.report().kill_in == Duration(10s));
        CHECK(stage.kills() == 0);
        stage.resume();
        stage.advance(10s);
        CHECK(stage.kills() == 1);
    }
}

TEST_CASE("an order to end resumes first, so that the signal is acted upon") {
    Stage stage;
    stage.given_healthy();
    stage.pause();
    stage.forget();
    const char* expected = "thaw announce:stopping signal:15";
    SUBCASE("stop") {
        stage.stop();
    }
    SUBCASE("restart") {
        stage.restart();
    }
    SUBCASE("kill") {
        stage.kill();
    }
    SUBCASE("remove") {
        stage.remove();
    }
    CHECK(stage.story() == expected);
    CHECK_FALSE(stage.report().paused);
}

TEST_CASE("the rest of a tree whose leader died in a pause is thawed to be ended") {
    Stage stage;
    stage.given_healthy();
    stage.pause();
    stage.forget();
    stage.dies(9, false);
    CHECK(stage.story() == "thaw announce:stopping signal:15");
}

TEST_CASE("a pause ends with the run") {
    Stage stage;
    stage.given_healthy();
    stage.pause();
    stage.forget();
    stage.dies(9);
    CHECK_FALSE(stage.report().paused);
    CHECK(stage.story() == "release announce:failed");
    stage.advance(1s);
    CHECK(stage.state() == "starting");
}

TEST_CASE("pause without a process, before Spawned or after SIGKILL does nothing") {
    for (const StateName state :
         {StateName::created, StateName::failed, StateName::completed, StateName::stopped, StateName::dead}) {
        CAPTURE(to_string(state));
        Stage stage;
        stage.given_in(state);
        stage.forget();
        stage.pause();
        stage.resume();
        CHECK(stage.effects().empty());
        CHECK_FALSE(stage.report().paused);
    }
    Stage before;
    before.given(plain());
    before.pause();
    CHECK_FALSE(before.report().paused);
    Stage after;
    after.given_healthy();
    after.kill_now();
    after.pause();
    CHECK_FALSE(after.report().paused);
}

TEST_CASE("a trigger that came during a pause is told as one, and a beat after it takes nothing back") {
    Stage stage;
    stage.given_healthy(beating());
    stage.pause();
    event::Notified trigger;
    trigger.trigger = true;
    stage.notifies(trigger);
    stage.beats();
    stage.resume();
    stage.turn();
    REQUIRE(stage.state() == "stopping");
    const auto* silence = std::get_if<cause::HeartbeatTimeout>(&stage.report().cause->kind);
    REQUIRE(silence != nullptr);
    CHECK(silence->timeout == 0s);
}

TEST_CASE("start of a paused task is done already; it stays paused") {
    Stage stage;
    stage.given_healthy();
    stage.pause();
    stage.start();
    CHECK(stage.report().paused);
}

}  // namespace
}  // namespace vigil::core::testing
