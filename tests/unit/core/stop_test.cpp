// Ending a run: the stop sequence, what it escalates to, and that nothing alive is ever forgotten.
#include <doctest/doctest.h>

#include <cerrno>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

TEST_CASE(
    "nasty 24: a task that ignores its stop signal gets SIGKILL at the stop timeout, and again every 5 s") {
    Stage stage;
    stage.given_healthy();
    stage.stop();
    CHECK(stage.signals() == "15");
    CHECK(stage.report().kill_in == Duration(10s));
    stage.advance(10s - 1ns);
    CHECK(stage.kills() == 0);
    stage.advance(1ns);
    CHECK(stage.kills() == 1);
    CHECK_FALSE(stage.report().kill_in.has_value());
    stage.advance(5s);
    CHECK(stage.kills() == 2);
    stage.advance(1h);
    CHECK(stage.kills() == 722);
    CHECK(stage.state() == "stopping");
    stage.dies(9);
    CHECK(stage.state() == "stopped");
    CHECK(stage.supervisor.next_deadline() == kNever);
}

TEST_CASE("a stop timeout of zero means SIGKILL in the same turn") {
    TaskSpec spec = plain();
    spec.stop.edit().timeout = 0s;
    Stage stage;
    stage.given_healthy(spec);
    stage.stop();
    stage.turn();
    CHECK(stage.kills() == 1);
}

TEST_CASE("nasty 28: after the exit was read no signal and no deadline is left of the run") {
    Stage stage;
    stage.given_healthy();
    stage.stop();
    stage.exits(0);
    stage.forget();
    stage.advance(1h);
    CHECK(stage.effects().empty());
}

TEST_CASE("nasty 36: a stop is done when the tree is empty, not when the leader is gone") {
    Stage stage;
    stage.given_healthy();
    stage.stop();
    stage.exits(0, false);
    CHECK(stage.state() == "stopping");
    CHECK(stage.signals() == "15 15 to the rest");
    stage.advance(10s);
    CHECK(stage.kills() == 1);
    stage.tree_empties();
    CHECK(stage.state() == "stopped");
    CHECK(stage.cause() == "operator");
    CHECK(stage.all<effect::Announce>().back().exit->code == 0);
}

TEST_CASE("stop.to main: the rest of the tree is asked once the main process is gone") {
    TaskSpec spec = plain();
    spec.stop = StopRule{2, 10s, StopTarget::main};
    Stage stage;
    stage.given_healthy(spec);
    stage.stop();
    CHECK(stage.signals() == "2 to main");
    stage.exits(0, false);
    CHECK(stage.signals() == "2 to main 2 to tree");
    stage.advance(10s);
    CHECK(stage.kills() == 1);
}

TEST_CASE("kill --now asks for SIGKILL at once, also in the middle of a stop") {
    for (const bool stopping : {false, true}) {
        Stage stage;
        stage.given_healthy();
        if (stopping) stage.stop();
        stage.forget();
        stage.kill_now();
        CHECK(stage.kills() == 1);
        CHECK(stage.signals().empty());
        stage.dies(9);
        CHECK(stage.state() == "dead");
        CHECK(stage.cause() == "operator");
    }
}

TEST_CASE("EXTEND_TIMEOUT_USEC buys a stopping task time, but not once SIGKILL was sent") {
    Stage stage;
    stage.given_healthy();
    event::Notified extend;
    extend.extend_timeout = 30s;
    stage.stop();
    stage.notifies(extend);
    stage.advance(30s - 1ns);
    CHECK(stage.kills() == 0);
    stage.advance(1ns);
    CHECK(stage.kills() == 1);
    stage.notifies(extend);
    stage.advance(5s);
    CHECK(stage.kills() == 2);
}

TEST_CASE("a run ordered to end before its Spawned is killed at once, and found again if it came too late") {
    Stage stage;
    stage.given(plain());
    stage.forget();
    stage.stop();
    CHECK(stage.story() == "announce:stopping kill");
    SUBCASE("nothing had been made") {
        stage.cannot_start(ESRCH);
        CHECK(stage.state() == "stopped");
    }
    SUBCASE("it is made after all: the stop rule ends it") {
        stage.advance(5s);
        CHECK(stage.kills() == 2);
        stage.comes_up();
        CHECK(stage.state() == "stopping");
        CHECK(stage.signals() == "15");
        stage.advance(10s);
        CHECK(stage.kills() == 3);
        stage.dies(9);
        CHECK(stage.state() == "stopped");
    }
    SUBCASE("it is made after all, and SIGKILL at once was ordered meanwhile") {
        stage.kill_now();
        stage.forget();
        stage.comes_up();
        CHECK(stage.story() == "kill");
        stage.dies(9);
        CHECK(stage.state() == "dead");
    }
    SUBCASE("it is wanted again: the next run waits for the answer") {
        stage.start();
        CHECK(stage.spawned() == 0);
        stage.cannot_start(ESRCH);
        CHECK(stage.state() == "starting");
        CHECK(stage.spawned() == 1);
        CHECK(stage.report().attempts == 0);
    }
}

TEST_CASE("nasty 33: a removal takes effect when the process is gone, and only then is the name free") {
    Stage stage;
    stage.given_healthy();
    stage.remove();
    CHECK(stage.supervisor.find("worker") == stage.id);
    const auto again = stage.supervisor.add(std::make_shared<const TaskSpec>(plain()), stage.now);
    CHECK(again.error() == Supervisor::AddError::already_exists);
    stage.forget();
    stage.dies(15);
    CHECK(stage.story() == "release announce:gone");
    CHECK(stage.gone());
    CHECK_FALSE(stage.supervisor.find("worker").has_value());
    CHECK(stage.supervisor.size() == 0);
    CHECK(stage.supervisor.next_deadline() == kNever);
}

TEST_CASE(
    "nasty 35: a name that is used again gets generations of its own, and the old run's events miss it") {
    Stage stage;
    stage.given_healthy();
    const Generation old = stage.generation();
    stage.remove();
    stage.dies(15);
    const TaskId again = stage.given(plain());
    CHECK(again == stage.id);
    CHECK(stage.generation() > old);
    CHECK(stage.report().restarts_total == 0);
    stage.order(event::Spawned{old, 77});
    CHECK(stage.report().pid == 0);
    stage.comes_up();
    stage.order(event::Exited{old, {}, true});
    CHECK(stage.state() == "healthy");
}

TEST_CASE("a removal is final: no later order brings the task back") {
    Stage stage;
    stage.given_healthy();
    stage.remove();
    stage.start();
    stage.restart();
    stage.stop();
    stage.kill();
    CHECK(stage.kills() == 0);
    stage.kill_now();
    CHECK(stage.kills() == 1);
    stage.dies(9);
    CHECK(stage.gone());
    CHECK(stage.spawned() == 1);
}

}  // namespace
}  // namespace vigil::core::testing
