// Every order in every state: where it leads at once, and where it ends once every process has obeyed.
#include <doctest/doctest.h>

#include <array>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

enum class Order { start, stop, restart, kill, kill_now, remove };

struct Expectation {
    const char* at_once;
    const char* in_the_end;
    std::size_t new_runs;
};

/// By StateName: created starting healthy stopping failed completed stopped dead.
using Row = std::array<Expectation, std::variant_size_v<State>>;

void give(Stage& stage, Order order) {
    switch (order) {
        case Order::start: return stage.start();
        case Order::stop: return stage.stop();
        case Order::restart: return stage.restart();
        case Order::kill: return stage.kill();
        case Order::kill_now: return stage.kill_now();
        case Order::remove: return stage.remove();
    }
}

/// Gives the order once and twice in each state; the second changes nothing that the first has not.
void check(Order order, const Row& row) {
    for (std::size_t index = 0; index < row.size(); ++index) {
        for (const int times : {1, 2}) {
            const auto state = static_cast<StateName>(index);
            CAPTURE(to_string(state));
            CAPTURE(times);
            Stage stage;
            stage.given_in(state);
            const unsigned attempts = stage.report().attempts;
            stage.forget();
            for (int i = 0; i < times; ++i) give(stage, order);
            CHECK(stage.state() == row[index].at_once);
            // What was given_in asked an end of `stopping` before; it obeys that too.
            if (state == StateName::stopping) stage.dies(15);
            stage.everyone_obeys();
            if (stage.state() == "starting") stage.says_ready();
            stage.advance(24h);
            CHECK(stage.state() == row[index].in_the_end);
            CHECK(stage.spawned() == row[index].new_runs);
            if (!stage.gone()) CHECK(stage.report().attempts <= attempts);
        }
    }
}

TEST_CASE("start works from every state, and of a running task it is done already") {
    check(Order::start, {{{"starting", "healthy", 1},
                          {"starting", "healthy", 0},
                          {"healthy", "healthy", 0},
                          {"stopping", "healthy", 1},
                          {"starting", "healthy", 1},
                          {"starting", "healthy", 1},
                          {"starting", "healthy", 1},
                          {"starting", "healthy", 1}}});
}

TEST_CASE("nasty 30: stop works from every state, twice as once, and nothing starts after it") {
    check(Order::stop, {{{"stopped", "stopped", 0},
                         {"stopping", "stopped", 0},
                         {"stopping", "stopped", 0},
                         {"stopping", "stopped", 0},
                         {"stopped", "stopped", 0},
                         {"completed", "completed", 0},
                         {"stopped", "stopped", 0},
                         {"dead", "dead", 0}}});
}

TEST_CASE("nasty 31: restart leads to exactly one new run from every state, twice as once") {
    check(Order::restart, {{{"starting", "healthy", 1},
                            {"stopping", "healthy", 1},
                            {"stopping", "healthy", 1},
                            {"stopping", "healthy", 1},
                            {"starting", "healthy", 1},
                            {"starting", "healthy", 1},
                            {"starting", "healthy", 1},
                            {"starting", "healthy", 1}}});
}

TEST_CASE("nasty 32: kill leaves the task dead for good, from every state") {
    const Row row{{{"dead", "dead", 0},
                   {"stopping", "dead", 0},
                   {"stopping", "dead", 0},
                   {"stopping", "dead", 0},
                   {"dead", "dead", 0},
                   {"dead", "dead", 0},
                   {"dead", "dead", 0},
                   {"dead", "dead", 0}}};
    check(Order::kill, row);
    check(Order::kill_now, row);
}

TEST_CASE("remove leaves nothing, from every state, at once where no process is") {
    check(Order::remove, {{{"gone", "gone", 0},
                           {"stopping", "gone", 0},
                           {"stopping", "gone", 0},
                           {"stopping", "gone", 0},
                           {"gone", "gone", 0},
                           {"gone", "gone", 0},
                           {"gone", "gone", 0},
                           {"gone", "gone", 0}}});
}

TEST_CASE("orders carry who gave them into the state that they lead to") {
    Stage stage;
    stage.given_in(StateName::healthy);
    stage.kill();
    CHECK(stage.cause() == "operator");
    stage.dies(15);
    CHECK(explain(*stage.report().cause) == "ordered by uid 0 (pid 4711)");
    CHECK(stage.report().desired == Desired::dead);
}

TEST_CASE("an operator's start or restart gives the whole budget back") {
    for (const bool restart : {false, true}) {
        Stage stage;
        stage.given(plain());
        for (int failure = 0; failure < 6; ++failure) {
            stage.comes_up();
            stage.exits(1);
            stage.advance(16s);
        }
        REQUIRE(stage.state() == "dead");
        restart ? stage.restart() : stage.start();
        CHECK(stage.state() == "starting");
        CHECK(stage.report().attempts == 0);
        stage.comes_up();
        stage.exits(1);
        CHECK(stage.state() == "failed");
        CHECK(stage.report().next_start_in == Duration(1s));
    }
}

TEST_CASE("a restart of a run that will not end well spends nothing, however it ends") {
    Stage stage;
    stage.given_healthy();
    stage.exits(1);
    stage.advance(1s);
    stage.comes_up();
    stage.restart();
    stage.advance(10s);
    stage.dies(9);
    CHECK(stage.state() == "starting");
    CHECK(stage.report().attempts == 0);
    CHECK(stage.report().restarts_total == 2);
}

TEST_CASE("start while a silent task is being ended: it is started anew and nothing is counted") {
    Stage stage;
    stage.given_healthy(beating());
    stage.advance(2s);
    stage.start();
    stage.dies(6);
    CHECK(stage.state() == "starting");
    CHECK(stage.report().attempts == 0);
}

TEST_CASE("nasty 66: of two orders in one turn the last wins") {
    struct Case {
        Order first, second;
        const char* outcome;
    };
    const Case cases[] = {
        {Order::stop, Order::start, "healthy"},   {Order::start, Order::stop, "stopped"},
        {Order::kill, Order::restart, "healthy"}, {Order::restart, Order::kill, "dead"},
        {Order::kill, Order::stop, "stopped"},    {Order::stop, Order::kill, "dead"},
        {Order::stop, Order::remove, "gone"},     {Order::remove, Order::stop, "gone"},
    };
    for (const Case& one : cases) {
        CAPTURE(static_cast<int>(one.first));
        CAPTURE(static_cast<int>(one.second));
        Stage stage;
        stage.given_in(StateName::healthy);
        stage.forget();
        give(stage, one.first);
        give(stage, one.second);
        stage.everyone_obeys();
        CHECK(stage.state() == one.outcome);
        CHECK(stage.spawned() <= 1);
    }
}

TEST_CASE("an order for a task that is gone does nothing") {
    Stage stage;
    stage.given_in(StateName::stopped);
    stage.remove();
    stage.forget();
    stage.start();
    stage.supervisor.handle(TaskId{999}, event::Start{by_operator()}, stage.now);
    CHECK(stage.effects().empty());
}

}  // namespace
}  // namespace vigil::core::testing
