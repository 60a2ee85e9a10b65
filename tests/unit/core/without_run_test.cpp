// Records of runs that were ended between one supervisor and the next.
#include <doctest/doctest.h>
#include <signal.h>

#include "core/found_run.hpp"
#include "unit/core/stage.hpp"

namespace vigil::core::testing {

TEST_CASE(
    "a run that was ended on purpose is judged by nobody: what was wanted up starts afresh, the rest stays "
    "so") {
    TaskRecord record;
    record.name = "web";
    record.generation = Generation{7};
    record.runs = 9;
    record.attempts = 3;
    record.main_pid = 4711;
    record.paused = true;
    const auto state_after = [&](StateName state, Desired desired) {
        record.state = state;
        record.desired = desired;
        return without_run(record).state;
    };
    for (const StateName state : {StateName::starting, StateName::healthy, StateName::stopping}) {
        CHECK(state_after(state, Desired::up) == StateName::created);
        CHECK(state_after(state, Desired::stopped) == StateName::stopped);
        CHECK(state_after(state, Desired::dead) == StateName::dead);
        CHECK(state_after(state, Desired::removed) == StateName::stopped);
    }
    for (const StateName state :
         {StateName::created, StateName::failed, StateName::completed, StateName::stopped, StateName::dead})
        CHECK(state_after(state, Desired::up) == state);
    record.state = StateName::healthy;
    const TaskRecord after = without_run(record);
    CHECK(after.name == "web");
    CHECK(after.generation == Generation{7});
    CHECK(after.runs == 9);
    CHECK(after.attempts == 3);
    CHECK(after.main_pid == 0);
    CHECK_FALSE(after.paused);
}

TEST_CASE("an operator's stop that was under way counts as done once its run was ended with the daemon") {
    Stage before;
    before.given_healthy();
    before.stop();
    TaskRecord record = *before.supervisor.record(before.id);
    REQUIRE(record.state == StateName::stopping);
    record = without_run(std::move(record));
    Stage after;
    after.now = before.now;
    after.id = after.supervisor.adopt(*before.report().spec, record, after.now).value();
    after.turn();
    CHECK(after.state() == "stopped");
    CHECK(after.cause() == "operator");
}

namespace {

/// A daemon after a shutdown that had not ended this run.
Stage given_left_by_shutdown(Stage& before) {
    TaskRecord record = left_by_shutdown(*before.supervisor.record(before.id));
    CHECK(is_left_by_shutdown(record));
    Stage after;
    after.now = before.now;
    after.id = after.supervisor.adopt(*before.report().spec, record, after.now).value();
    after.turn();
    return after;
}

}  // namespace

TEST_CASE("nasty 26: a run that outlives a shutdown is waited for, and then its task starts afresh") {
    Stage before;
    TaskSpec spec = plain();
    spec.restart.edit().policy = RestartPolicy::never;
    before.given_healthy(spec);
    SUBCASE("that was healthy when its daemon ended") {}
    SUBCASE("that an operator had stopped") {
        before.stop();
    }
    SUBCASE("that an operator had killed") {
        before.kill_now();
    }
    SUBCASE("that was paused") {
        before.pause();
    }
    before.turn();
    Stage after = given_left_by_shutdown(before);
    CHECK(after.state() == "stopping");
    CHECK(after.kills() == 1);
    CHECK(after.spawned() == 0);
    after.advance(1h);
    CHECK(after.spawned() == 0);
    after.dies(SIGKILL);
    CHECK(after.state() == "starting");
    CHECK(after.spawned() == 1);
    CHECK(after.report().attempts == 0);
}

TEST_CASE("what a shutdown itself writes down is no run that is only waited for, until it has sent SIGKILL") {
    Stage before;
    before.given_healthy();
    before.supervisor.shut_down(0, false, before.now);
    CHECK_FALSE(is_left_by_shutdown(*before.supervisor.record(before.id)));
    before.advance(11s);
    CHECK(is_left_by_shutdown(*before.supervisor.record(before.id)));
}

}  // namespace vigil::core::testing
