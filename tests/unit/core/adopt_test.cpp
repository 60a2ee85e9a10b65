// A supervisor that goes on from what another one wrote down.
#include <doctest/doctest.h>

#include "core/found_run.hpp"
#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

using Kind = FoundRun::Kind;

/// What a stage's daemon would leave behind, taken over on a stage of its own, `later`.
struct Successor {
    explicit Successor(Stage& before, Duration later = 0s) {
        spec = *before.report().spec;
        record = *before.supervisor.record(before.id);
        stage.now = before.now + later;
        stage.id = stage.supervisor.adopt(spec, record, stage.now).value();
    }
    void finds(Kind kind, ExitStatus status = {}) {
        for (Event& event : news_of(record, {kind, 4711, status}))
            stage.supervisor.handle(stage.id, std::move(event), stage.now);
        stage.turn();
    }
    SpecPtr spec;
    TaskRecord record;
    Stage stage;
};

TEST_CASE("a healthy task stays healthy, with its run, and is announced as adopted") {
    Stage before;
    before.given_healthy();
    Successor after(before, 5s);
    after.finds(Kind::running);
    CHECK(after.stage.state() == "healthy");
    CHECK(after.stage.cause() == "adopted");
    CHECK(after.stage.generation() == before.generation());
    CHECK(after.stage.report().pid == before.report().pid);
    CHECK(after.stage.report().uptime == before.report().uptime.value() + 5s);
    CHECK(after.stage.story() == "announce:healthy");
}

TEST_CASE("a beating task that is taken over gets a whole timeout from then on, and no more") {
    Stage before;
    before.given_healthy(beating());
    before.advance(1900ms);
    Successor after(before, 10s);
    after.finds(Kind::running);
    after.stage.advance(1999ms);
    CHECK(after.stage.state() == "healthy");
    after.stage.advance(1ms);
    CHECK(after.stage.state() == "stopping");
    CHECK(after.stage.cause() == "heartbeat-timeout");
}

TEST_CASE("a task that beats seldom is not taken for one whose first beat is due soon") {
    TaskSpec spec = plain();
    spec.heartbeat = HeartbeatRule{};
    spec.heartbeat->timeout = 30s;
    spec.heartbeat->initial_delay = 3s;
    Stage before;
    before.given_healthy(spec);
    before.beats();
    before.advance(10s);
    Successor after(before, 1s);
    after.finds(Kind::running);
    after.stage.advance(29s);
    CHECK(after.stage.state() == "healthy");
    after.stage.advance(1s);
    CHECK(after.stage.state() == "stopping");
    CHECK(explain(*after.stage.report().cause) == "no heartbeat for 30s");
}

TEST_CASE("a timeout that the task itself asked for goes on to count") {
    Stage before;
    before.given_healthy(beating());
    event::Notified asks;
    asks.watchdog = 30s;
    before.notifies(asks);
    Successor after(before);
    after.finds(Kind::running);
    after.stage.advance(29s);
    CHECK(after.stage.state() == "healthy");
    after.stage.advance(1s);
    CHECK(after.stage.state() == "stopping");
}

TEST_CASE("attempts are kept, and given back when they would have been") {
    Stage before;
    before.given_healthy();
    before.dies(11);
    before.advance(1s);
    before.gets_healthy();
    before.advance(70s);
    REQUIRE(before.report().attempts == 1);
    Successor after(before, 5s);
    after.finds(Kind::running);
    CHECK(after.stage.report().attempts == 1);
    after.stage.advance(5s);
    CHECK(after.stage.report().attempts == 0);
}

TEST_CASE("nasty 77: what ended while no daemon was there gets its policy applied once") {
    Stage before;
    before.given_healthy();
    Successor after(before, 1min);
    SUBCASE("with a status") {
        after.finds(Kind::ended, {ExitStatus::Kind::code, 3, 0, false});
        CHECK(after.stage.cause() == "exit-code");
        CHECK(after.stage.report().last_exit->status.code == 3);
    }
    SUBCASE("unknown counts as a failure") {
        after.finds(Kind::ended);
        CHECK(after.stage.report().last_exit->status.kind == ExitStatus::Kind::unknown);
    }
    CHECK(after.stage.state() == "failed");
    CHECK(after.stage.report().attempts == 1);
    CHECK(after.stage.report().next_start_in == 1s);
    after.stage.advance(1s);
    CHECK(after.stage.spawned() == 1);
    CHECK(after.stage.generation() == Generation{2});
}

TEST_CASE("nasty 77: of a tree whose main process ended the rest is ended first") {
    Stage before;
    before.given_healthy();
    Successor after(before);
    after.finds(Kind::main_ended);
    CHECK(after.stage.state() == "stopping");
    CHECK(after.stage.signals() == "15 to tree");
    after.stage.tree_empties();
    CHECK(after.stage.state() == "failed");
}

TEST_CASE("a pending restart is due when it was, and one that came due meanwhile at once") {
    Stage before;
    before.given_healthy();
    before.dies(11);
    REQUIRE(before.state() == "failed");
    SUBCASE("due later") {
        Successor after(before, 400ms);
        after.stage.turn();
        CHECK(after.stage.report().next_start_in == 600ms);
        after.stage.advance(600ms);
        CHECK(after.stage.spawned() == 1);
    }
    SUBCASE("overdue") {
        Successor after(before, 1h);
        after.stage.turn();
        CHECK(after.stage.spawned() == 1);
        CHECK(after.stage.report().attempts == 1);
    }
}

TEST_CASE("nasty 9: a spawn of which nothing came is made again, and no attempt is spent") {
    Stage before;
    before.given(plain());
    REQUIRE(before.state() == "starting");
    Successor after(before);
    after.finds(Kind::never_made);
    CHECK(after.stage.state() == "failed");
    CHECK(after.stage.report().attempts == 0);
    after.stage.advance(10s);
    CHECK(after.stage.state() == "starting");
    CHECK(after.stage.generation() == Generation{2});
}

TEST_CASE("nasty 9: a run that was known and whose pid the next one's record has taken has ended") {
    Stage before;
    before.given_healthy(plain());
    Successor after(before);
    after.finds(Kind::never_made);
    CHECK(after.stage.state() == "failed");
    CHECK(after.stage.report().attempts == 1);
    CHECK(after.stage.report().last_exit->status.kind == ExitStatus::Kind::unknown);
    after.stage.advance(10s);
    CHECK(after.stage.generation() == Generation{2});
}

TEST_CASE("nasty 9: a process that was made before anybody read of it is taken over, and not made twice") {
    Stage before;
    before.given(plain());
    Successor after(before);
    after.finds(Kind::running);
    CHECK(after.stage.state() == "healthy");
    CHECK(after.stage.report().pid == 4711);
    CHECK(after.stage.spawned() == 0);
}

TEST_CASE("a task that was starting has its whole time to get ready, or is ready by what it said before") {
    Stage before;
    before.given(notifying());
    SUBCASE("nothing was said") {
        before.comes_up();
        before.advance(59s);
        Successor after(before);
        after.finds(Kind::running);
        after.stage.advance(59s);
        CHECK(after.stage.state() == "starting");
        after.stage.advance(1s);
        CHECK(after.stage.cause() == "ready-timeout");
    }
    SUBCASE("READY=1 was read before Spawned") {
        before.says_ready();
        Successor after(before);
        after.finds(Kind::running);
        CHECK(after.stage.state() == "healthy");
    }
}

TEST_CASE("a stop goes on to its end, with its whole time, and what follows is what was ordered") {
    Stage before;
    before.given_healthy();
    before.stop();
    before.advance(9s);
    Successor after(before, 1s);
    after.finds(Kind::running);
    CHECK(after.stage.state() == "stopping");
    CHECK(after.stage.signals() == "15");
    after.stage.advance(10s);
    CHECK(after.stage.kills() == 1);
    after.stage.dies(9);
    CHECK(after.stage.state() == "stopped");
}

TEST_CASE("a task that was being killed is killed, and a removed one removed") {
    Stage before;
    before.given_healthy();
    SUBCASE("killed") {
        before.kill_now();
        Successor after(before);
        after.finds(Kind::running);
        CHECK(after.stage.kills() == 1);
        after.stage.dies(9);
        CHECK(after.stage.state() == "dead");
        CHECK(after.stage.cause() == "operator");
    }
    SUBCASE("removed, and ended meanwhile") {
        before.remove();
        Successor after(before);
        after.finds(Kind::ended);
        CHECK(after.stage.gone());
    }
}

TEST_CASE("what was at rest stays at rest") {
    for (const StateName state :
         {StateName::created, StateName::completed, StateName::stopped, StateName::dead}) {
        CAPTURE(to_string(state));
        Stage before;
        before.given_in(state);
        Successor after(before, 24h);
        after.stage.turn();
        CHECK(after.stage.state() == to_string(state));
        CHECK(after.stage.cause() == before.cause());
        CHECK(after.stage.spawned() == 0);
        after.stage.start();
        CHECK(after.stage.spawned() == 1);
        CHECK(after.stage.generation() > before.generation());
    }
}

TEST_CASE("what a shutdown had stopped is started by the daemon that comes after it") {
    for (const bool ended : {true, false}) {
        CAPTURE(ended);
        Stage before;
        before.given_healthy();
        before.supervisor.shut_down(0, false, before.now);
        if (ended) before.dies(15);
        Successor after(before);
        REQUIRE(after.record.state == (ended ? StateName::stopped : StateName::stopping));
        after.finds(Kind::running);
        if (!ended) {
            CHECK(after.stage.signals() == "15");
            CHECK(after.stage.spawned() == 0);
            after.stage.dies(15);
        }
        CHECK(after.stage.state() == "starting");
        CHECK(after.stage.spawned() == 1);
        CHECK(after.stage.report().attempts == 0);
    }
}

TEST_CASE("what an operator had stopped before a shutdown stays stopped, and what was idle stays idle") {
    Stage before;
    SUBCASE("stopped by an operator") {
        before.given_in(StateName::stopped);
        before.supervisor.shut_down(0, false, before.now);
        Successor after(before);
        after.stage.turn();
        CHECK(after.stage.state() == "stopped");
    }
    SUBCASE("never started") {
        before.given_in(StateName::created);
        before.supervisor.shut_down(0, false, before.now);
        Successor after(before);
        after.stage.turn();
        CHECK(after.stage.state() == "created");
        CHECK(after.stage.spawned() == 0);
    }
}

TEST_CASE("a paused task is paused still, and judged only when it is resumed") {
    Stage before;
    before.given_healthy(beating());
    before.pause();
    Successor after(before);
    after.finds(Kind::running);
    CHECK(after.stage.report().paused);
    CHECK(after.stage.story() == "announce:healthy freeze");
    after.stage.advance(1h);
    CHECK(after.stage.state() == "healthy");
    after.stage.resume();
    after.stage.advance(2s);
    CHECK(after.stage.cause() == "heartbeat-timeout");
}

TEST_CASE("tasks that waited for their turn to start wait for it again") {
    SupervisorRules one_at_a_time;
    one_at_a_time.max_starting = 1;
    Stage before(one_at_a_time);
    const TaskId first = before.given(notifying("first"));
    const TaskId second = before.given(notifying("second"));
    REQUIRE(before.supervisor.report(second, before.now)->waiting_turn);
    Stage after(one_at_a_time);
    after.now = before.now;
    const auto adopt = [&](TaskId task) {
        return after.supervisor
            .adopt(*before.supervisor.report(task, before.now)->spec, *before.supervisor.record(task),
                   after.now)
            .value();
    };
    const TaskId waits = adopt(second);
    const TaskId starts = adopt(first);
    after.turn();
    CHECK(after.supervisor.report(waits, after.now)->waiting_turn);
    CHECK(after.supervisor.report(starts, after.now)->state == StateName::starting);
    CHECK(after.spawned() == 0);
}

TEST_CASE("what an operator had decided of a stop under way outlives a daemon that dies in its shutdown") {
    Stage before;
    before.given_healthy();
    SUBCASE("a kill") {
        before.kill();
    }
    SUBCASE("a stop") {
        before.stop();
    }
    before.turn();
    const Desired decided = before.report().desired;
    before.supervisor.shut_down(0, false, before.now);
    CHECK(before.report().desired == decided);
    Successor after(before);
    after.finds(Kind::running);
    after.stage.exits(0);
    CHECK(after.stage.state() == (decided == Desired::dead ? "dead" : "stopped"));
    CHECK(after.stage.cause() == "operator");
}

TEST_CASE("a beat that was read before Spawned is known to the next daemon, which waits for no other") {
    Stage before;
    before.given(beating());
    before.turn();
    (void)before.supervisor.take_changed();
    before.beats();
    CHECK(before.supervisor.take_changed().size() == 1);
    Successor after(before);
    after.finds(Kind::running);
    CHECK(after.stage.state() == "healthy");
}

}  // namespace
}  // namespace vigil::core::testing
