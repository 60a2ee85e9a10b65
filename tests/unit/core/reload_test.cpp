// A task that gets a new spec: what changes at once, what restarts, and what is left alone, in every state.
#include <doctest/doctest.h>

#include <array>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

/// The present spec, changed.
template <typename Change>
event::NewSpec changed(const Stage& stage, bool restart, Change change) {
    TaskSpec spec = **stage.report().spec;
    change(spec);
    return {std::make_shared<const TaskSpec>(std::move(spec)), restart};
}

event::NewSpec another_command(const Stage& stage) {
    return changed(stage, true, [](TaskSpec& spec) { spec.command = {"/bin/other"}; });
}

template <typename Change>
void respec_live(Stage& stage, Change change) {
    stage.order(changed(stage, false, change));
}

struct Expectation {
    const char* at_once;
    const char* in_the_end;
    std::size_t new_runs;
};
/// By StateName: created starting healthy stopping failed completed stopped dead.
using Row = std::array<Expectation, std::variant_size_v<State>>;

void check(bool restart, const Row& row) {
    for (std::size_t index = 0; index < row.size(); ++index) {
        const auto state = static_cast<StateName>(index);
        CAPTURE(to_string(state));
        Stage stage;
        stage.given_in(state);
        stage.forget();
        stage.order(changed(stage, restart, [](TaskSpec& spec) { spec.command = {"/bin/other"}; }));
        CHECK(stage.state() == row[index].at_once);
        CHECK((*stage.report().spec)->command.front() == "/bin/other");
        if (state == StateName::stopping) stage.dies(15);
        stage.everyone_obeys();
        if (stage.state() == "starting") stage.says_ready();
        stage.advance(59s);
        stage.everyone_obeys();
        CHECK(stage.state() == row[index].in_the_end);
        CHECK(stage.spawned() == row[index].new_runs);
        for (const auto& spawn : stage.all<effect::Spawn>())
            CHECK(spawn.spec->command.front() == "/bin/other");
    }
}

TEST_CASE(
    "nasty 59: a change that needs a restart makes one new run of what runs or is due, and of nothing else") {
    check(true, {{{"created", "created", 0},
                  {"stopping", "healthy", 1},
                  {"stopping", "healthy", 1},
                  {"stopping", "stopped", 0},
                  {"starting", "healthy", 1},
                  {"completed", "completed", 0},
                  {"stopped", "stopped", 0},
                  {"dead", "dead", 0}}});
}

TEST_CASE("nasty 59: a live change leaves every task where it is") {
    check(false, {{{"created", "created", 0},
                   {"starting", "healthy", 0},
                   {"healthy", "healthy", 0},
                   {"stopping", "stopped", 0},
                   {"failed", "healthy", 1},
                   {"completed", "completed", 0},
                   {"stopped", "stopped", 0},
                   {"dead", "dead", 0}}});
}

TEST_CASE("a restart by reload says so, gives the budget back and happens once") {
    Stage stage;
    TaskSpec spec = plain();
    spec.restart.edit().stable_after = 1h;
    stage.given(spec);
    stage.comes_up();
    stage.exits(1);
    stage.advance(1s);
    stage.comes_up();
    REQUIRE(stage.report().attempts == 1);
    stage.forget();
    stage.order(another_command(stage));
    stage.order(another_command(stage));
    CHECK(stage.cause() == "config-reload");
    CHECK(stage.signals() == "15");
    stage.dies(15);
    CHECK(stage.state() == "starting");
    CHECK(stage.cause() == "config-reload");
    CHECK(stage.report().attempts == 0);
    CHECK(stage.spawned() == 1);
}

TEST_CASE("a run that was asked for and is not there yet has the old spec: it is replaced too") {
    Stage stage;
    stage.given(plain());
    const Generation first = stage.generation();
    stage.order(another_command(stage));
    CHECK(stage.state() == "stopping");
    CHECK(stage.kills() == 1);
    stage.order(event::SpawnFailed{first, {SpawnStage::exec, 3, ""}});
    CHECK(stage.state() == "starting");
    CHECK(stage.generation() > first);
}

TEST_CASE("a task that an operator is restarting comes back once, with the new spec and his cause") {
    Stage stage;
    stage.given_healthy();
    stage.restart();
    stage.forget();
    stage.order(another_command(stage));
    stage.dies(15);
    CHECK(stage.spawned() == 1);
    CHECK(stage.cause() == "operator");
    CHECK(stage.all<effect::Spawn>()[0].spec->command.front() == "/bin/other");
}

TEST_CASE(
    "nasty 60: a task that is being stopped stays stopped, one that is being removed goes, whatever its new "
    "spec") {
    for (const bool removed : {false, true}) {
        Stage stage;
        stage.given_healthy();
        removed ? stage.remove() : stage.stop();
        stage.order(another_command(stage));
        stage.dies(15);
        CHECK(stage.state() == (removed ? "gone" : "stopped"));
    }
}

TEST_CASE("a silent task that is being ended restarts by reload without spending an attempt") {
    Stage stage;
    stage.given_healthy(beating());
    stage.advance(2s);
    REQUIRE(stage.state() == "stopping");
    stage.order(another_command(stage));
    stage.dies(6);
    CHECK(stage.state() == "starting");
    CHECK(stage.report().attempts == 0);
    CHECK(stage.cause() == "config-reload");
}

TEST_CASE("a created task starts when autostart is turned on, and no other does") {
    for (const StateName state : {StateName::created, StateName::stopped, StateName::completed}) {
        Stage stage;
        stage.given_in(state);
        respec_live(stage, [](TaskSpec& spec) { spec.autostart = false; });
        CHECK(stage.state() == to_string(state));
        respec_live(stage, [](TaskSpec& spec) { spec.autostart = true; });
        CHECK(stage.state() == (state == StateName::created ? "starting" : to_string(state)));
        if (state == StateName::created) CHECK(stage.cause() == "config-reload");
    }
}

TEST_CASE("autostart turned off ends nothing") {
    Stage stage;
    stage.given_healthy();
    respec_live(stage, [](TaskSpec& spec) { spec.autostart = false; });
    CHECK(stage.state() == "healthy");
}

TEST_CASE("the time until a task counts as stable moves with stable_after") {
    Stage stage;
    stage.given(plain());
    stage.comes_up();
    stage.exits(1);
    stage.advance(1s);
    stage.comes_up();
    stage.advance(30s);
    respec_live(stage, [](TaskSpec& spec) { spec.restart.edit().stable_after = 40s; });
    stage.advance(10s - 1ms);
    CHECK(stage.report().attempts == 1);
    stage.advance(1ms);
    CHECK(stage.report().attempts == 0);
}

TEST_CASE("a lower limit of attempts holds at once, also for those already made") {
    Stage stage;
    stage.given(plain());
    for (int i = 0; i < 3; ++i) {
        stage.comes_up();
        stage.exits(1);
        stage.advance(i == 2 ? 0s : 30s);
    }
    REQUIRE(stage.report().attempts == 3);
    respec_live(stage, [](TaskSpec& spec) { spec.restart.edit().max_attempts = 2; });
    CHECK(stage.report().attempts == 2);
    stage.advance(30s);
    stage.comes_up();
    stage.exits(1);
    CHECK(stage.state() == "dead");
}

TEST_CASE("a restart that is pending comes no later than the new rule would have it") {
    Stage stage;
    TaskSpec spec = plain();
    spec.restart.edit().base_delay = spec.restart.edit().max_delay = 5min;
    stage.given(spec);
    stage.comes_up();
    stage.exits(1);
    respec_live(stage, [](TaskSpec& now) { now.restart.edit().base_delay = 1s; });
    CHECK(stage.report().next_start_in == 1s);
    respec_live(stage, [](TaskSpec& now) { now.restart.edit().base_delay = 1min; });
    CHECK(stage.report().next_start_in == 1s);
}

TEST_CASE("a stop under way is given the new stop.timeout") {
    Stage stage;
    stage.given_healthy();
    stage.stop();
    stage.advance(4s);
    respec_live(stage, [](TaskSpec& spec) { spec.stop.edit().timeout = 5s; });
    stage.advance(1s - 1ms);
    CHECK(stage.kills() == 0);
    stage.advance(1ms);
    CHECK(stage.kills() == 1);
    respec_live(stage, [](TaskSpec& spec) { spec.stop.edit().timeout = 1h; });
    stage.advance(5s);
    CHECK(stage.kills() == 2);
}

TEST_CASE("a deadline that a reload brings forward gives no other task more time") {
    Stage stage;
    stage.given_healthy(beating());
    TaskSpec slow = plain("slow");
    slow.stop.edit().timeout = 1h;
    const TaskId other = stage.given(slow);
    stage.supervisor.handle(other, event::Spawned{Generation{1}, 99}, stage.now);
    stage.supervisor.handle(other, event::Stop{by_operator()}, stage.now);
    stage.advance(1s);
    slow.stop.edit().timeout = 1ms;
    stage.supervisor.handle(other, event::NewSpec{std::make_shared<const TaskSpec>(slow), false}, stage.now);
    stage.forget();
    stage.turn();
    CHECK(stage.kills() == 1);
    stage.advance(1s);
    CHECK(stage.state() == "stopping");
    CHECK(stage.cause() == "heartbeat-timeout");
}

TEST_CASE("a start under way keeps the longer of the old and the new ready.timeout") {
    for (const bool longer : {false, true}) {
        Stage stage;
        stage.given(notifying());
        stage.comes_up();
        respec_live(stage, [&](TaskSpec& spec) { spec.ready.timeout = longer ? 90s : 30s; });
        stage.advance(60s);
        CHECK(stage.state() == (longer ? "starting" : "stopping"));
        stage.advance(30s);
        CHECK(stage.state() == "stopping");
    }
}

TEST_CASE("a task is found by its name after its spec was replaced") {
    Stage stage;
    stage.given_healthy();
    stage.order(another_command(stage));
    respec_live(stage, [](TaskSpec& spec) { spec.stop.edit().timeout = 1s; });
    CHECK(stage.supervisor.find("worker") == stage.id);
    stage.stop();
    stage.dies(15);
    stage.remove();
    CHECK_FALSE(stage.supervisor.find("worker").has_value());
}

TEST_CASE("nasty 79: during a shutdown a new spec changes nothing, least of all the shutdown") {
    Stage stage;
    stage.given_healthy();
    stage.supervisor.shut_down(0, false, stage.now);
    stage.forget();
    stage.order(another_command(stage));
    stage.dies(15);
    CHECK(stage.spawned() == 0);
    CHECK(stage.state() == "stopped");
    CHECK(stage.all<effect::Finished>().size() == 1);
}

TEST_CASE("a waiting task that needs no turn any more starts at once") {
    Stage stage(SupervisorRules{.max_starting = 1, .max_dead_fraction = std::nullopt});
    stage.given(notifying("first"));
    const TaskId second = stage.given(notifying("second"));
    REQUIRE(stage.supervisor.report(second, stage.now)->waiting_turn);
    TaskSpec spec = plain("second");
    stage.supervisor.handle(second, event::NewSpec{std::make_shared<const TaskSpec>(spec), true}, stage.now);
    CHECK(stage.supervisor.report(second, stage.now)->state == StateName::starting);
}

TEST_CASE("a higher max_starting lets those who wait begin") {
    Stage stage(SupervisorRules{.max_starting = 1, .max_dead_fraction = std::nullopt});
    stage.given(notifying("first"));
    const TaskId second = stage.given(notifying("second"));
    stage.supervisor.set_rules(2, std::nullopt);
    stage.turn();
    CHECK(stage.supervisor.report(second, stage.now)->state == StateName::starting);
}

}  // namespace
}  // namespace vigil::core::testing
