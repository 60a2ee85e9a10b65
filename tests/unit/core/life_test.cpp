// How a run begins and ends when nobody interferes.
#include <doctest/doctest.h>

#include <cerrno>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

TEST_CASE("a task is announced, then starting, then spawned") {
    Stage stage;
    stage.given(plain());
    CHECK(stage.story() == "announce:created announce:starting spawn");
    CHECK(stage.state() == "starting");
    CHECK(stage.generation() == Generation{1});
    CHECK(stage.report().restarts_total == 0);
}

TEST_CASE("without autostart a task waits in created") {
    Stage stage;
    stage.given_in(StateName::created);
    stage.advance(1h);
    CHECK(stage.state() == "created");
    CHECK(stage.spawned() == 0);
    CHECK(stage.supervisor.next_deadline() == kNever);
}

TEST_CASE("ready at exec: Spawned makes it healthy") {
    Stage stage;
    stage.given(plain());
    stage.forget();
    stage.comes_up();
    CHECK(stage.state() == "healthy");
    CHECK(stage.report().pid == 1000);
    CHECK(stage.all<effect::Announce>().at(0).pid == 1000);
    CHECK(stage.supervisor.next_deadline() == kNever);
}

TEST_CASE(
    "nasty 5: a task that never says READY=1 is stopped by its stop rule, then fails by ready-timeout") {
    Stage stage;
    stage.given(notifying());
    stage.comes_up();
    stage.advance(60s - 1ns);
    CHECK(stage.state() == "starting");
    stage.advance(1ns);
    CHECK(stage.state() == "stopping");
    CHECK(stage.signals() == "15");
    stage.dies(15);
    CHECK(stage.state() == "failed");
    CHECK(stage.cause() == "ready-timeout");
    CHECK(stage.report().attempts == 1);
}

TEST_CASE("a slow spawn is not held against the task: readiness is due from Spawned on") {
    Stage stage;
    stage.given(notifying());
    stage.advance(10min);
    CHECK(stage.state() == "starting");
    stage.comes_up();
    stage.advance(60s - 1ms);
    stage.says_ready();
    CHECK(stage.state() == "healthy");
}

TEST_CASE("without a ready timeout a task may take for ever") {
    Stage stage;
    TaskSpec spec = notifying();
    spec.ready.timeout = std::nullopt;
    stage.given(spec);
    stage.comes_up();
    stage.advance(24h * 365);
    CHECK(stage.state() == "starting");
}

TEST_CASE("nasty 7: READY=1 and the exit in one turn are both handled, in order") {
    Stage stage;
    stage.given(notifying());
    stage.comes_up();
    stage.forget();
    stage.says_ready();
    stage.exits(0);
    CHECK(stage.story() == "announce:healthy release announce:completed");
}

TEST_CASE("nasty 4: an exit while starting is judged by its code") {
    Stage stage;
    stage.given(notifying());
    stage.comes_up();
    SUBCASE("1 is a failure") {
        stage.exits(1);
        CHECK(stage.state() == "failed");
        CHECK(stage.cause() == "exit-code");
        CHECK(stage.report().attempts == 1);
    }
    SUBCASE("0 completes") {
        stage.exits(0);
        CHECK(stage.state() == "completed");
    }
}

TEST_CASE("a run that is over is released, then its end announced with its status") {
    Stage stage;
    stage.given_healthy();
    stage.forget();
    stage.dies(11);
    CHECK(stage.story() == "release announce:failed");
    const auto change = stage.all<effect::Announce>().at(0);
    CHECK(change.exit->signal == 11);
    CHECK(change.next_start_in == Duration(1s));
    CHECK(change.attempts == 1);
    CHECK(change.max_attempts == 5);
    CHECK(stage.report().last_exit->status.signal == 11);
    CHECK(stage.report().pid == 0);
}

TEST_CASE("nasty 18: a task whose leader died is not over until its tree is empty") {
    Stage stage;
    stage.given_healthy();
    stage.forget();
    stage.exits(3, false);
    CHECK(stage.state() == "stopping");
    CHECK(stage.story() == "announce:stopping signal:15");
    stage.advance(10s);
    CHECK(stage.kills() == 1);
    CHECK(stage.state() == "stopping");
    stage.tree_empties();
    CHECK(stage.state() == "failed");
    CHECK(stage.cause() == "exit-code");
    CHECK(stage.report().attempts == 1);
    CHECK(stage.all<effect::Announce>().back().exit->code == 3);
}

TEST_CASE("a leader that ends well leaves a completed task once its children are gone") {
    Stage stage;
    stage.given_healthy();
    stage.exits(0, false);
    stage.tree_empties();
    CHECK(stage.state() == "completed");
}

TEST_CASE("a tree that vanished without an exit ended as unknown, which is a failure") {
    Stage stage;
    stage.given_healthy();
    stage.tree_empties();
    CHECK(stage.state() == "failed");
    CHECK(stage.report().last_exit->status.kind == ExitStatus::Kind::unknown);
}

TEST_CASE("an empty tree before Spawned says nothing: the process may be about to be made") {
    Stage stage;
    stage.given(plain());
    stage.tree_empties();
    CHECK(stage.state() == "starting");
    stage.stop();
    stage.tree_empties();
    CHECK(stage.state() == "stopping");
}

TEST_CASE("nasty 1: a failed exec spends an attempt and says where it failed") {
    Stage stage;
    stage.given(plain());
    stage.forget();
    stage.cannot_start(ENOENT);
    CHECK(stage.story() == "release announce:failed");
    CHECK(stage.cause() == "spawn-failed");
    CHECK(stage.report().attempts == 1);
    stage.advance(1s);
    CHECK(stage.spawned() == 1);
}

TEST_CASE("nasty 8: a spawn that fails by the host's fault is retried without end and spends nothing") {
    Stage stage;
    TaskSpec spec = plain();
    spec.restart.edit().policy = RestartPolicy::never;
    stage.given(spec);
    const Duration expected[] = {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5s, 5s, 5s};
    for (const Duration delay : expected) {
        stage.cannot_start(EAGAIN);
        CHECK(stage.state() == "failed");
        CHECK(stage.report().attempts == 0);
        CHECK(stage.report().next_start_in == delay);
        stage.advance(delay);
        CHECK(stage.state() == "starting");
    }
    stage.comes_up();
    CHECK(stage.state() == "healthy");
}

TEST_CASE("a spawn that worked ends the series of the host's faults") {
    Stage stage;
    stage.given(plain());
    stage.cannot_start(EMFILE);
    stage.advance(100ms);
    stage.cannot_start(EMFILE);
    stage.advance(200ms);
    stage.comes_up();
    stage.exits(1);
    stage.advance(1s);
    stage.cannot_start(EMFILE);
    CHECK(stage.report().next_start_in == Duration(100ms));
}

TEST_CASE("policy never: a bad end is dead with that end as its cause") {
    Stage stage;
    stage.given_in(StateName::dead);
    CHECK(stage.cause() == "exit-code");
    stage.advance(1h);
    CHECK(stage.spawned() == 1);
}

}  // namespace
}  // namespace vigil::core::testing
