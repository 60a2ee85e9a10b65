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

TEST_CASE("5: a task that never says READY=1 is stopped by its stop rule, then fails by ready-timeout") {
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

TEST_CASE("7: READY=1 and the exit in one turn are both handled, in order") {
    Stage stage;
    stage.given(notifying());
    stage.comes_up();
    stage.forget();
    stage.says_ready();
    stage.exits(0);
    CHECK(stage.story() == "announce:healthy announce:completed release");
}

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

TEST_CASE("4: an exit while starting is judged by its code") {
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

TEST_CASE("the end of a run is announced with its status, then released") {
    Stage stage;
    stage.given_healthy();
    stage.forget();
    stage.dies(11);
    CHECK(stage.story() == "announce:failed release");
    const auto change = stage.all<effect::Announce>().at(0);
    CHECK(change.exit->signal == 11);
    CHECK(change.next_start_in == Duration(1s));
    CHECK(change.attempts == 1);
    CHECK(change.max_attempts == 5);
    CHECK(stage.report().last_exit->status.signal == 11);
    CHECK(stage.report().pid == 0);
}

TEST_CASE("18: a task whose leader died is not over until its tree is empty") {
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

TEST_CASE("1: a failed exec spends an attempt and says where it failed") {
    Stage stage;
    stage.given(plain());
    stage.forget();
    stage.cannot_start(ENOENT);
    CHECK(stage.story() == "announce:failed release");
    CHECK(stage.cause() == "spawn-failed");
    CHECK(stage.report().attempts == 1);
    stage.advance(1s);
    CHECK(stage.spawned() == 1);
}

TEST_CASE("8: a spawn that fails by the host's fault is retried without end and spends nothing") {
    Stage stage;
    TaskSpec spec = plain();
    spec.restart.policy = RestartPolicy::never;
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
    SUBCASE("leaves children: they are asked") {
        stage.exits(0, false);
        CHECK(stage.signals() == "15");
        stage.tree_empties();
        CHECK(stage.state() == "completed");
    }
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

TEST_CASE("an old generation changes nothing, in any state") {
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
