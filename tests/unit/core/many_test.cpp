// What concerns more than one task: names, turns to start, the fraction of dead tasks, the shutdown.
#include <doctest/doctest.h>

#include <cerrno>
#include <set>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

SupervisorRules starting_at_most(unsigned count) {
    return {count, std::nullopt, 0};
}

std::string state_of(const Stage& stage, TaskId id) {
    return std::string(to_string(stage.supervisor.report(id, stage.now)->state));
}

void comes_up(Stage& stage, TaskId id) {
    stage.supervisor.handle(id, event::Spawned{stage.supervisor.report(id, stage.now)->generation, 50},
                            stage.now);
}

void says_ready(Stage& stage, TaskId id) {
    event::Notified ready;
    ready.generation = stage.supervisor.report(id, stage.now)->generation;
    ready.ready = true;
    stage.supervisor.handle(id, ready, stage.now);
}

void exits(Stage& stage, TaskId id, int code) {
    const Generation run = stage.supervisor.report(id, stage.now)->generation;
    stage.supervisor.handle(id, event::Exited{run, {ExitStatus::Kind::code, code, 0, false}, true},
                            stage.now);
}

TEST_CASE("nasty 34: a name that exists is refused, and the first task does not notice") {
    Stage stage;
    stage.given_healthy();
    stage.forget();
    const auto second = stage.supervisor.add(std::make_shared<const TaskSpec>(beating()), stage.now);
    CHECK(second.error() == Supervisor::AddError::already_exists);
    CHECK(stage.effects().empty());
    CHECK(stage.state() == "healthy");
    CHECK(stage.supervisor.size() == 1);
}

TEST_CASE("tasks are found by name and listed in order of names") {
    Stage stage;
    const TaskId b = stage.given(plain("b"));
    const TaskId c = stage.given(plain("c"));
    const TaskId a = stage.given(plain("a"));
    CHECK(stage.supervisor.find("b") == b);
    CHECK_FALSE(stage.supervisor.find("d").has_value());
    CHECK(stage.supervisor.ids_by_name() == std::vector<TaskId>{a, b, c});
}

TEST_CASE("counts by state follow every change") {
    Stage stage;
    const TaskId a = stage.given(plain("a"));
    const TaskId b = stage.given(plain("b"));
    CHECK(stage.supervisor.count_by_state() == std::vector<std::size_t>{0, 2, 0, 0, 0, 0, 0, 0});
    comes_up(stage, a);
    comes_up(stage, b);
    exits(stage, b, 1);
    CHECK(stage.supervisor.count_by_state() == std::vector<std::size_t>{0, 0, 1, 0, 1, 0, 0, 0});
    stage.supervisor.handle(b, event::Remove{by_operator()}, stage.now);
    CHECK(stage.supervisor.count_by_state() == std::vector<std::size_t>{0, 0, 1, 0, 0, 0, 0, 0});
}

TEST_CASE("nasty 17: at most max_starting tasks await their first sign of life; the others wait in order") {
    Stage stage(starting_at_most(2));
    std::vector<TaskId> tasks;
    for (const char* name : {"a", "b", "c", "d"}) tasks.push_back(stage.given(notifying(name)));
    CHECK(stage.spawned() == 2);
    CHECK(state_of(stage, tasks[2]) == "created");
    CHECK(stage.supervisor.report(tasks[2], stage.now)->waiting_turn);
    comes_up(stage, tasks[0]);
    CHECK(stage.spawned() == 2);
    says_ready(stage, tasks[0]);
    CHECK(stage.spawned() == 3);
    CHECK(state_of(stage, tasks[2]) == "starting");
    CHECK_FALSE(stage.supervisor.report(tasks[2], stage.now)->waiting_turn);
    comes_up(stage, tasks[1]);
    exits(stage, tasks[1], 1);
    CHECK(state_of(stage, tasks[3]) == "starting");
}

TEST_CASE("nasty 17: of 5,000 tasks that die in one turn all are seen, and they come back a few at a time") {
    constexpr unsigned kAtOnce = 16;
    constexpr unsigned kTasks = 5000;
    Stage stage(starting_at_most(kAtOnce));
    std::vector<TaskId> tasks;
    for (unsigned i = 0; i < kTasks; ++i) tasks.push_back(stage.given(notifying("t" + std::to_string(i))));
    stage.everyone_obeys();
    REQUIRE(stage.supervisor.count_by_state() == std::vector<std::size_t>{0, 0, kTasks, 0, 0, 0, 0, 0});
    stage.forget();
    for (const TaskId id : tasks) exits(stage, id, 1);
    CHECK(stage.supervisor.count_by_state() == std::vector<std::size_t>{0, 0, 0, 0, kTasks, 0, 0, 0});
    CHECK(stage.all<effect::Announce>().size() == kTasks);
    stage.forget();
    stage.advance(1s);
    std::set<TaskId> started;
    while (started.size() < kTasks) {
        const auto spawns = stage.all<effect::Spawn>();
        REQUIRE(!spawns.empty());
        REQUIRE(spawns.size() <= kAtOnce);
        stage.forget();
        for (const effect::Spawn& spawn : spawns) {
            REQUIRE(started.insert(spawn.task).second);
            comes_up(stage, spawn.task);
        }
        REQUIRE(stage.spawned() == 0);
        for (const effect::Spawn& spawn : spawns) says_ready(stage, spawn.task);
    }
    CHECK(stage.supervisor.count_by_state() == std::vector<std::size_t>{0, 0, kTasks, 0, 0, 0, 0, 0});
}

TEST_CASE("tasks ready at exec do not count against max_starting") {
    Stage stage(starting_at_most(1));
    stage.given(notifying("a"));
    stage.given(plain("b"));
    stage.given(plain("c"));
    CHECK(stage.spawned() == 3);
}

TEST_CASE("a restart that is due while it is not its turn stays failed, and starts when its turn comes") {
    Stage stage(starting_at_most(1));
    const TaskId a = stage.given(notifying("a"));
    comes_up(stage, a);
    exits(stage, a, 1);
    const TaskId b = stage.given(notifying("b"));
    comes_up(stage, b);
    stage.advance(30s);
    CHECK(state_of(stage, a) == "failed");
    CHECK(stage.supervisor.report(a, stage.now)->waiting_turn);
    CHECK(stage.supervisor.report(a, stage.now)->next_start_in == Duration(0));
    says_ready(stage, b);
    CHECK(state_of(stage, a) == "starting");
}

TEST_CASE("orders end the waiting for a turn") {
    Stage stage(starting_at_most(1));
    const TaskId first = stage.given(notifying("first"));
    const TaskId waiting = stage.given(notifying("waiting"));
    const TaskId last = stage.given(notifying("last"));
    const char* outcome = "";
    SUBCASE("stop") {
        stage.supervisor.handle(waiting, event::Stop{by_operator()}, stage.now);
        outcome = "stopped";
    }
    SUBCASE("kill") {
        stage.supervisor.handle(waiting, event::Kill{by_operator()}, stage.now);
        outcome = "dead";
    }
    SUBCASE("start again: it keeps its place") {
        stage.supervisor.handle(waiting, event::Start{by_operator()}, stage.now);
        outcome = "starting";
    }
    SUBCASE("remove") {
        stage.supervisor.handle(waiting, event::Remove{by_operator()}, stage.now);
    }
    comes_up(stage, first);
    says_ready(stage, first);
    const auto report = stage.supervisor.report(waiting, stage.now);
    CHECK((report ? to_string(report->state) : "") == outcome);
    CHECK(state_of(stage, last) == (std::string(outcome) == "starting" ? "created" : "starting"));
}

TEST_CASE("a restart ordered when all turns are taken waits in created") {
    Stage stage(starting_at_most(1));
    const TaskId a = stage.given(notifying("a"));
    comes_up(stage, a);
    says_ready(stage, a);
    const TaskId b = stage.given(notifying("b"));
    comes_up(stage, b);
    stage.supervisor.handle(a, event::Restart{by_operator()}, stage.now);
    stage.forget();
    exits(stage, a, 0);
    CHECK(stage.story() == "release announce:created");
    CHECK(cause_name(*stage.supervisor.report(a, stage.now)->cause) == "operator");
    exits(stage, b, 0);
    CHECK(state_of(stage, a) == "starting");
}

TEST_CASE("more dead tasks than the fraction allows: everything is stopped and the exit code is 70") {
    Stage stage({.max_starting = 16, .max_dead_fraction = 0.5, .seed = 0});
    std::vector<TaskId> tasks;
    for (const char* name : {"a", "b", "c", "d"}) {
        TaskSpec spec = plain(name);
        spec.restart.edit().policy = RestartPolicy::never;
        tasks.push_back(stage.given(spec));
        comes_up(stage, tasks.back());
    }
    // Killed by an operator, a task is dead as it should be.
    stage.supervisor.handle(tasks[0], event::Kill{by_operator()}, stage.now);
    exits(stage, tasks[0], 0);
    exits(stage, tasks[1], 1);
    exits(stage, tasks[2], 1);
    stage.turn();
    CHECK_FALSE(stage.supervisor.shutting_down());
    exits(stage, tasks[3], 1);
    CHECK_FALSE(stage.supervisor.shutting_down());
    stage.turn();
    CHECK(stage.supervisor.shutting_down());
    CHECK(stage.all<effect::Finished>().at(0).exit_code == 70);
}

TEST_CASE("exit 70 comes after the tasks that still run were stopped in order") {
    Stage stage({.max_starting = 16, .max_dead_fraction = 0.0, .seed = 0});
    TaskSpec fragile = plain("fragile");
    fragile.restart.edit().max_attempts = 0;
    const TaskId a = stage.given(fragile);
    const TaskId b = stage.given(plain("sound"));
    comes_up(stage, a);
    comes_up(stage, b);
    exits(stage, a, 1);
    stage.turn();
    CHECK(state_of(stage, b) == "stopping");
    CHECK(cause_name(*stage.supervisor.report(b, stage.now)->cause) == "shutdown");
    CHECK(stage.all<effect::Finished>().empty());
    exits(stage, b, 0);
    CHECK(stage.all<effect::Finished>().at(0).exit_code == 70);
}

TEST_CASE("nasty 80: a shutdown ends tasks in every state, starts nothing more, and finishes once") {
    for (std::size_t index = 0; index < std::variant_size_v<State>; ++index) {
        const auto state = static_cast<StateName>(index);
        CAPTURE(to_string(state));
        Stage stage;
        stage.given_in(state);
        stage.forget();
        stage.supervisor.shut_down(0, false, stage.now);
        stage.start();
        stage.restart();
        stage.pause();
        stage.advance(10s);
        const bool has_process = stage.report().pid != 0;
        CHECK(stage.all<effect::Finished>().size() == (has_process ? 0 : 1));
        CHECK(stage.kills() == (has_process ? 1 : 0));
        if (has_process) stage.dies(9);
        stage.advance(1h);
        CHECK(stage.all<effect::Finished>().size() == 1);
        CHECK(stage.story().ends_with("finished"));
        CHECK(stage.spawned() == 0);
        const bool ended_before = state == StateName::completed || state == StateName::dead;
        CHECK(stage.state() == (ended_before ? to_string(state) : "stopped"));
        if (state == StateName::failed) CHECK(stage.cause() == "shutdown");
    }
}

TEST_CASE("nasty 79: a second shutdown is not a first one: its exit code is nothing, its haste is heeded") {
    Stage stage;
    stage.given_healthy();
    stage.supervisor.shut_down(70, false, stage.now);
    CHECK(stage.kills() == 0);
    stage.supervisor.shut_down(0, true, stage.now);
    CHECK(stage.kills() == 1);
    stage.dies(9);
    CHECK(stage.all<effect::Finished>().at(0).exit_code == 70);
}

TEST_CASE("a shutdown with no task at all finishes at once, and takes none in") {
    Stage stage;
    stage.supervisor.shut_down(0, false, stage.now);
    CHECK(stage.story() == "finished");
    const auto added = stage.supervisor.add(std::make_shared<const TaskSpec>(plain()), stage.now);
    CHECK(added.error() == Supervisor::AddError::shutting_down);
}

TEST_CASE("a shutdown wakes no task that was waiting for the turn of one that it stops") {
    Stage stage(starting_at_most(1));
    const TaskId a = stage.given(notifying("a"));
    const TaskId b = stage.given(notifying("b"));
    comes_up(stage, a);
    stage.supervisor.shut_down(0, false, stage.now);
    exits(stage, a, 0);
    CHECK(stage.spawned() == 1);
    CHECK(state_of(stage, b) == "stopped");
    CHECK(stage.all<effect::Finished>().size() == 1);
}

TEST_CASE("a shutdown waits for a spawn that is on its way, and thaws what is paused") {
    Stage stage;
    stage.given(plain());
    SUBCASE("a spawn on its way") {
        stage.supervisor.shut_down(0, false, stage.now);
        CHECK(stage.all<effect::Finished>().empty());
        stage.cannot_start(ECHILD);
    }
    SUBCASE("a paused task") {
        stage.comes_up();
        stage.pause();
        stage.forget();
        stage.supervisor.shut_down(0, false, stage.now);
        CHECK(stage.story() == "thaw announce:stopping signal:15");
        stage.exits(0);
    }
    CHECK(stage.all<effect::Finished>().size() == 1);
}

}  // namespace
}  // namespace vigil::core::testing
