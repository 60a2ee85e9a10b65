// The ways to ask a run to end: several signals one after the other, and a command in place of the first.
#include <doctest/doctest.h>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

TaskSpec with_steps() {
    TaskSpec spec = plain();
    spec.stop.edit().signal = 2;
    spec.stop.edit().timeout = 5s;
    spec.stop.edit().further = {{15, 3s}, {3, 1s}};
    return spec;
}

TaskSpec with_command() {
    TaskSpec spec = plain();
    spec.stop.edit().command = {"/bin/ask"};
    return spec;
}

TEST_CASE(
    "stop.signals are sent one after the other, each after the wait of the one before, and SIGKILL last") {
    Stage stage;
    stage.given_healthy(with_steps());
    stage.stop();
    CHECK(stage.signals() == "2");
    stage.advance(5s - 1ns);
    CHECK(stage.signals() == "2");
    stage.advance(1ns);
    CHECK(stage.signals() == "2 15 to tree");
    stage.advance(3s);
    CHECK(stage.signals() == "2 15 to tree 3 to tree");
    CHECK(stage.kills() == 0);
    stage.advance(1s);
    CHECK(stage.kills() == 1);
    stage.dies(9);
    CHECK(stage.state() == "stopped");
}

TEST_CASE("a task that heeds an early signal of stop.signals gets none of the later ones") {
    Stage stage;
    stage.given_healthy(with_steps());
    stage.stop();
    stage.advance(5s);
    stage.exits(0);
    stage.forget();
    stage.advance(1h);
    CHECK(stage.effects().empty());
}

TEST_CASE("stop.to main holds for every step, until the main process is gone") {
    TaskSpec spec = with_steps();
    spec.stop.edit().to = StopTarget::main;
    Stage stage;
    stage.given_healthy(spec);
    stage.stop();
    stage.advance(5s);
    CHECK(stage.signals() == "2 to main 15 to main");
    stage.exits(0, false);
    stage.advance(3s);
    CHECK(stage.signals() == "2 to main 15 to main 2 to tree 3 to tree");
}

TEST_CASE("a silent task gets its own signal and then SIGKILL: the steps are for those that are asked") {
    TaskSpec spec = beating();
    spec.stop.edit().further = {{15, 3s}};
    Stage stage;
    stage.given_healthy(spec);
    stage.advance(2s);
    CHECK(stage.signals() == "6");
    stage.advance(10s);
    CHECK(stage.signals() == "6");
    CHECK(stage.kills() == 1);
}

TEST_CASE("a pause in the middle of the steps stops their clock") {
    Stage stage;
    stage.given_healthy(with_steps());
    stage.stop();
    stage.advance(4s);
    stage.pause();
    stage.advance(1h);
    CHECK(stage.signals() == "2");
    stage.resume();
    stage.advance(1s);
    CHECK(stage.signals() == "2 15 to tree");
}

TEST_CASE("stop.command is run in place of the signal, and SIGKILL comes at its time") {
    Stage stage;
    stage.given_healthy(with_command());
    stage.forget();
    stage.stop();
    const auto commands = stage.all<effect::RunStopCommand>();
    REQUIRE(commands.size() == 1);
    CHECK(commands[0].generation == stage.generation());
    CHECK(commands[0].main_pid == stage.report().pid);
    CHECK(commands[0].spec->stop->command.front() == "/bin/ask");
    stage.order(event::StopCommandEnded{stage.generation(), true});
    CHECK(stage.signals().empty());
    stage.advance(10s);
    CHECK(stage.kills() == 1);
}

TEST_CASE("a stop.command that fails is followed by the signal at once, within the same time") {
    Stage stage;
    stage.given_healthy(with_command());
    stage.stop();
    stage.advance(4s);
    stage.order(event::StopCommandEnded{stage.generation(), false});
    CHECK(stage.signals() == "15");
    stage.advance(6s - 1ns);
    CHECK(stage.kills() == 0);
    stage.advance(1ns);
    CHECK(stage.kills() == 1);
}

TEST_CASE("a stop.command that fails too late changes nothing") {
    Stage stage;
    stage.given_healthy(with_command());
    stage.stop();
    SUBCASE("the main process has ended") {
        stage.exits(0, false);
        CHECK(stage.signals() == "15 to tree");
        stage.order(event::StopCommandEnded{stage.generation(), false});
        CHECK(stage.signals() == "15 to tree");
    }
    SUBCASE("SIGKILL was sent") {
        stage.advance(10s);
        stage.order(event::StopCommandEnded{stage.generation(), false});
        CHECK(stage.signals().empty());
    }
    SUBCASE("the run is over") {
        const Generation old = stage.generation();
        stage.exits(0);
        stage.start();
        stage.order(event::StopCommandEnded{old, false});
        CHECK(stage.signals().empty());
    }
}

TEST_CASE(
    "a stop.command that fails just before a pause is read ends the pause: the task is still to be asked") {
    Stage stage;
    stage.given_healthy(with_command());
    stage.stop();
    stage.pause();
    stage.forget();
    stage.order(event::StopCommandEnded{stage.generation(), false});
    CHECK(stage.story() == "thaw signal:15");
}

TEST_CASE("kill --now runs no stop.command") {
    Stage stage;
    stage.given_healthy(with_command());
    stage.kill_now();
    CHECK(stage.all<effect::RunStopCommand>().empty());
    CHECK(stage.kills() == 1);
}

TEST_CASE("stop.command and further signals go together") {
    TaskSpec spec = with_command();
    spec.stop.edit().timeout = 5s;
    spec.stop.edit().further = {{15, 3s}};
    Stage stage;
    stage.given_healthy(spec);
    stage.stop();
    stage.advance(5s);
    CHECK(stage.signals() == "15 to tree");
    stage.advance(3s);
    CHECK(stage.kills() == 1);
}

TEST_CASE(
    "nasty 18: what a main process leaves behind when it ends by itself is asked to end wherever it went") {
    Stage stage;
    stage.given_healthy();
    stage.exits(3, false);
    CHECK(stage.state() == "stopping");
    CHECK(stage.signals() == "15 to tree");
    stage.advance(10s);
    CHECK(stage.kills() == 1);
    stage.tree_empties();
    CHECK(stage.state() == "failed");
    CHECK(stage.cause() == "exit-code");
}

TEST_CASE("nasty 85: an end for want of memory has its own cause and counts as a failure") {
    Stage stage;
    stage.given_healthy();
    event::Exited exited{stage.generation(), {ExitStatus::Kind::signal, 0, 9, false}, true, {}, true};
    SUBCASE("with an empty tree") {}
    SUBCASE("with children left") {
        exited.tree_empty = false;
    }
    const bool empty = exited.tree_empty;
    stage.order(exited);
    if (!empty) stage.tree_empties();
    CHECK(stage.state() == "failed");
    CHECK(stage.cause() == "oom");
    CHECK(stage.report().last_exit->status.signal == 9);
}

TEST_CASE(
    "nasty 26: what SIGKILL does not end holds up a shutdown for a while and not for ever, and no other "
    "task") {
    Stage stage;
    stage.given_healthy();
    const TaskId other = stage.given(plain("other"));
    stage.supervisor.handle(other, event::Spawned{stage.supervisor.report(other, stage.now)->generation, 7},
                            stage.now);
    stage.supervisor.shut_down(0, false, stage.now);
    stage.supervisor.handle(
        other, event::Exited{stage.supervisor.report(other, stage.now)->generation, {}, true}, stage.now);
    stage.advance(10s);
    CHECK(stage.kills() == 1);
    stage.advance(kUnkillableAfter - 1ns);
    CHECK(stage.all<effect::Finished>().empty());
    stage.advance(1ns);
    REQUIRE(stage.all<effect::Finished>().size() == 1);
    CHECK(stage.all<effect::Finished>()[0].left == 1);
    CHECK(stage.state() == "stopping");
    stage.dies(9);
    CHECK(stage.all<effect::Finished>().size() == 1);
}

TEST_CASE("nasty 26: impatience does not shorten the time that SIGKILL is given") {
    Stage stage;
    stage.given_healthy();
    stage.supervisor.shut_down(0, false, stage.now);
    for (int i = 0; i < 20; ++i) stage.supervisor.shut_down(0, true, stage.now);
    stage.advance(kUnkillableAfter - 1ns);
    CHECK(stage.all<effect::Finished>().empty());
    stage.dies(9);
    REQUIRE(stage.all<effect::Finished>().size() == 1);
    CHECK(stage.all<effect::Finished>()[0].left == 0);
}

TEST_CASE("what a process used stands with its exit") {
    Stage stage;
    stage.given_healthy();
    const ResourceUse used{.user = 2s, .system = 1s, .max_rss = 4096};
    stage.order(event::Exited{stage.generation(), {ExitStatus::Kind::code, 1, 0, false}, true, used, false});
    CHECK(stage.report().last_exit->usage == used);
}

}  // namespace
}  // namespace vigil::core::testing
