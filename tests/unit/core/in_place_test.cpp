// A supervisor that goes on as another program: what was under way goes on as it was, and nobody is told.
#include <doctest/doctest.h>

#include "core/found_run.hpp"
#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

/// What a stage's daemon hands over, on a stage of its own at the same moment, its process still there.
struct Next {
    explicit Next(Stage& before) {
        const TaskRecord record = *before.supervisor.record(before.id);
        stage.now = before.now;
        stage.id =
            stage.supervisor.adopt(*before.report().spec, record, stage.now, Adoption::in_place).value();
        for (Event& event : news_of(record, {FoundRun::Kind::running, record.main_pid, {}}))
            stage.supervisor.handle(stage.id, std::move(event), stage.now);
        stage.turn();
    }
    Stage stage;
};

TEST_CASE("nothing is announced or asked of anybody, and every cause stays, whatever the state") {
    for (const StateName state :
         {StateName::starting, StateName::healthy, StateName::stopping, StateName::failed,
          StateName::completed, StateName::stopped, StateName::dead}) {
        CAPTURE(to_string(state));
        Stage before;
        before.given_in(state);
        Next after(before);
        CHECK(after.stage.state() == before.state());
        CHECK(after.stage.cause() == before.cause());
        CHECK(after.stage.generation() == before.generation());
        CHECK(after.stage.story().empty());
    }
}

TEST_CASE("a stop goes on with the step that comes next, and SIGKILL comes when it was due") {
    TaskSpec spec = plain();
    spec.stop.edit().signal = 1;
    spec.stop.edit().timeout = 2s;
    spec.stop.edit().further = {{15, 3s}, {3, 1s}};
    Stage before;
    before.given_healthy(spec);
    before.stop();
    before.advance(4s);
    Next after(before);
    CHECK(after.stage.signals().empty());
    after.stage.advance(999ms);
    CHECK(after.stage.signals().empty());
    after.stage.advance(1ms);
    CHECK(after.stage.signals() == "3 to tree");
    CHECK(after.stage.kills() == 0);
    after.stage.advance(1s);
    CHECK(after.stage.kills() == 1);
    after.stage.dies(9);
    CHECK(after.stage.state() == "stopped");
}

TEST_CASE("a SIGKILL that was sent is repeated when it would have been") {
    Stage before;
    before.given_healthy();
    before.kill_now();
    before.turn();
    before.advance(2s);
    Next after(before);
    CHECK(after.stage.kills() == 0);
    after.stage.advance(3s);
    CHECK(after.stage.kills() == 1);
}

TEST_CASE("a stop that was paused has as much time left as it had, however long the pause was before") {
    Stage before;
    before.given_healthy();
    before.stop();
    before.turn();
    before.advance(4s);
    before.pause();
    before.advance(1h);
    before.supervisor.change_all(before.now);
    Next after(before);
    after.stage.advance(1min);
    after.stage.resume();
    after.stage.advance(5999ms);
    CHECK(after.stage.kills() == 0);
    after.stage.advance(1ms);
    CHECK(after.stage.kills() == 1);
}

TEST_CASE("a task that starts has until when it had to be ready") {
    TaskSpec spec = notifying();
    spec.ready.timeout = 3s;
    Stage before;
    before.given(spec);
    before.start();
    before.turn();
    before.comes_up();
    before.advance(2s);
    Next after(before);
    after.stage.advance(999ms);
    CHECK(after.stage.state() == "starting");
    after.stage.advance(1ms);
    CHECK(after.stage.state() == "stopping");
    CHECK(after.stage.cause() == "ready-timeout");
}

TEST_CASE("time that the task has asked for is kept, since it was written down") {
    TaskSpec spec = notifying();
    spec.ready.timeout = 3s;
    Stage before;
    before.given(spec);
    before.start();
    before.turn();
    before.comes_up();
    (void)before.supervisor.take_changed();
    event::Notified asks;
    asks.extend_timeout = 20s;
    before.notifies(asks);
    CHECK(before.supervisor.take_changed().size() == 1);
    Next after(before);
    after.stage.advance(19s);
    CHECK(after.stage.state() == "starting");
}

}  // namespace
}  // namespace vigil::core::testing
