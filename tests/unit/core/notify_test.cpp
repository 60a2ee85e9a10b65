// What a process says of itself, and what is not heard: the words of an old generation.
#include <doctest/doctest.h>

#include <cerrno>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

TEST_CASE("READY=1 that overtakes Spawned counts once Spawned is there") {
    Stage stage;
    stage.given(notifying());
    stage.says_ready();
    CHECK(stage.state() == "starting");
    stage.comes_up();
    CHECK(stage.state() == "healthy");
}

TEST_CASE(
    "EXTEND_TIMEOUT_USEC moves readiness away, also when it overtakes Spawned, and never brings it nearer") {
    for (const bool early : {true, false}) {
        CAPTURE(early);
        Stage stage;
        stage.given(notifying());
        event::Notified extend;
        extend.extend_timeout = 2min;
        if (!early) stage.comes_up();
        stage.notifies(extend);
        if (early) stage.comes_up();
        extend.extend_timeout = 1s;
        stage.notifies(extend);
        stage.advance(2min - 1ns);
        CHECK(stage.state() == "starting");
        stage.advance(1ns);
        CHECK(stage.state() == "stopping");
    }
}

TEST_CASE("STOPPING=1 lets a task take its stop time, and its exit is judged by itself") {
    Stage stage;
    stage.given_healthy(beating());
    stage.forget();
    event::Notified stopping;
    stopping.stopping = true;
    stage.notifies(stopping);
    CHECK(stage.story() == "announce:stopping");
    stage.advance(9s);
    SUBCASE("ends well") {
        stage.exits(0);
        CHECK(stage.state() == "completed");
    }
    SUBCASE("ends badly") {
        stage.exits(2);
        CHECK(stage.state() == "failed");
        CHECK(stage.cause() == "exit-code");
        CHECK(stage.report().attempts == 1);
    }
    SUBCASE("does not end") {
        stage.advance(1s);
        CHECK(stage.kills() == 1);
        stage.dies(9);
        CHECK(stage.cause() == "exit-signal");
    }
    SUBCASE("is ordered to stop meanwhile: now it is asked") {
        stage.stop();
        CHECK(stage.signals() == "15");
        stage.advance(9s);
        CHECK(stage.kills() == 0);
        stage.exits(1);
        CHECK(stage.state() == "stopped");
    }
    SUBCASE("is ordered to restart meanwhile: now it is asked, and starts anew without a failure") {
        stage.restart();
        CHECK(stage.signals() == "15");
        stage.exits(1);
        CHECK(stage.state() == "starting");
        CHECK(stage.report().attempts == 0);
    }
    SUBCASE("leaves children: they are asked") {
        stage.exits(0, false);
        CHECK(stage.signals() == "15 to tree");
        stage.tree_empties();
        CHECK(stage.state() == "completed");
    }
}

TEST_CASE("STOPPING=1 that overtakes Spawned is heeded once Spawned is there, and is no failure") {
    Stage stage;
    stage.given(notifying());
    event::Notified stopping;
    stopping.stopping = true;
    stage.notifies(stopping);
    CHECK(stage.state() == "starting");
    stage.comes_up();
    CHECK(stage.state() == "stopping");
    CHECK(stage.signals().empty());
    stage.exits(0);
    CHECK(stage.state() == "completed");
}

TEST_CASE("STATUS, ERRNO and EXIT_STATUS belong to the run; its end does not") {
    Stage stage;
    stage.given_healthy();
    event::Notified note;
    note.status = "serving 12 clients";
    note.error = ENOSPC;
    note.exit_status = 4;
    note.main_pid = 4242;
    stage.notifies(note);
    CHECK(stage.report().status_text == "serving 12 clients");
    CHECK(stage.report().notified_errno == ENOSPC);
    CHECK(stage.report().notified_exit_status == 4);
    CHECK(stage.report().pid == 4242);
    stage.exits(4);
    CHECK(stage.report().status_text == "serving 12 clients");
    stage.advance(1s);
    CHECK(stage.report().status_text.empty());
    CHECK_FALSE(stage.report().notified_errno.has_value());
    CHECK(stage.report().last_exit->status.code == 4);
    CHECK(stage.report().restarts_total == 1);
}

TEST_CASE("nasty 38: an old generation changes nothing, in any state") {
    for (std::size_t index = 0; index < std::variant_size_v<State>; ++index) {
        const auto state = static_cast<StateName>(index);
        CAPTURE(to_string(state));
        Stage stage;
        stage.given_in(StateName::healthy);
        const Generation old = stage.generation();
        stage.restart();
        stage.exits(0);
        stage.comes_up();
        switch (state) {
            case StateName::starting: break;
            case StateName::healthy: stage.says_ready(); break;
            case StateName::stopping: stage.stop(); break;
            case StateName::failed: stage.exits(1); break;
            case StateName::completed: stage.exits(0); break;
            case StateName::created:
            case StateName::stopped:
                stage.stop();
                stage.exits(0);
                break;
            case StateName::dead:
                stage.kill();
                stage.exits(0);
                break;
        }
        stage.forget();
        const std::string before = stage.state();
        const TimePoint due = stage.supervisor.next_deadline();
        event::Notified everything;
        everything.generation = old;
        everything.ready = everything.beat = everything.trigger = everything.stopping = true;
        everything.watchdog = 1ns;
        everything.extend_timeout = 1h;
        everything.main_pid = 1;
        everything.status = "forged";
        stage.order(everything);
        stage.order(event::Spawned{old, 1});
        stage.order(event::SpawnFailed{old, {SpawnStage::exec, ENOENT, ""}});
        stage.order(event::Exited{old, {}, true});
        stage.order(event::TreeEmpty{old});
        CHECK(stage.effects().empty());
        CHECK(stage.state() == before);
        CHECK(stage.supervisor.next_deadline() == due);
        CHECK(stage.report().status_text.empty());
        CHECK(stage.report().pid != 1);
    }
}

}  // namespace
}  // namespace vigil::core::testing
