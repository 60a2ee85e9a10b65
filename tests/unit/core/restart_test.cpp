// Restarts over time: backoff, the budget, and how it is won back.
#include <doctest/doctest.h>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

TEST_CASE("with the defaults a task waits 1, 2, 4, 8 and 16 s, and its sixth failure in a row is final") {
    Stage stage;
    stage.given(plain());
    for (const Duration delay : {1s, 2s, 4s, 8s, 16s}) {
        stage.comes_up();
        stage.exits(3);
        CHECK(stage.state() == "failed");
        stage.advance(delay - 1ns);
        CHECK(stage.state() == "failed");
        stage.advance(1ns);
        CHECK(stage.state() == "starting");
    }
    CHECK(stage.report().attempts == 5);
    stage.comes_up();
    stage.exits(3);
    CHECK(stage.state() == "dead");
    CHECK(explain(*stage.report().cause) == "attempts exhausted after 5: exit code 3");
    stage.advance(24h);
    CHECK(stage.spawned() == 6);
    CHECK(stage.report().restarts_total == 5);
}

TEST_CASE("max_attempts 0: the first failure is final") {
    Stage stage;
    TaskSpec spec = plain();
    spec.restart.edit().max_attempts = 0;
    stage.given_healthy(spec);
    stage.exits(1);
    CHECK(stage.state() == "dead");
    CHECK(stage.cause() == "attempts-exhausted");
}

TEST_CASE("base_delay 0: the restart is due at once and still waits for judge") {
    Stage stage;
    TaskSpec spec = plain();
    spec.restart.edit().base_delay = 0s;
    stage.given_healthy(spec);
    stage.exits(1);
    CHECK(stage.state() == "failed");
    CHECK(stage.supervisor.next_deadline() == stage.now);
    stage.turn();
    CHECK(stage.state() == "starting");
}

TEST_CASE("nasty 63: 10,000 failures without a limit stay at the longest delay") {
    Stage stage;
    TaskSpec spec = plain();
    spec.restart.edit().max_attempts = std::nullopt;
    stage.given(spec);
    for (int failure = 0; failure < 10'000; ++failure) {
        stage.comes_up();
        stage.exits(1);
        stage.advance(32s);
    }
    stage.comes_up();
    stage.exits(1);
    CHECK(stage.report().next_start_in == Duration(32s));
    CHECK(stage.report().attempts == 10'001);
}

TEST_CASE("keep-trying fails for ever, at the longest delay and with the attempts at their maximum") {
    Stage stage;
    TaskSpec spec = plain();
    spec.restart.edit().when_exhausted = WhenExhausted::keep_trying;
    stage.given(spec);
    for (int failure = 0; failure < 100; ++failure) {
        stage.comes_up();
        stage.exits(1);
        CHECK(stage.state() == "failed");
        CHECK(stage.report().attempts <= 5);
        stage.advance(32s);
    }
    stage.comes_up();
    stage.exits(1);
    CHECK(stage.report().next_start_in == Duration(32s));
}

TEST_CASE("always: a good end is followed by a restart, counts, and can exhaust") {
    Stage stage;
    TaskSpec spec = plain();
    spec.restart.edit().policy = RestartPolicy::always;
    spec.restart.edit().max_attempts = 1;
    stage.given_healthy(spec);
    stage.exits(0);
    CHECK(stage.state() == "failed");
    CHECK(stage.report().attempts == 1);
    stage.advance(1s);
    stage.comes_up();
    stage.exits(0);
    CHECK(stage.state() == "dead");
    CHECK(stage.cause() == "attempts-exhausted");
}

TEST_CASE("healthy for stable_after wins the attempts back, to the millisecond and not before") {
    for (const Duration lived : {Duration(80s - 1ms), Duration(80s)}) {
        CAPTURE(lived.count());
        Stage stage;
        stage.given_healthy();
        stage.exits(1);
        stage.advance(1s);
        stage.comes_up();
        CHECK(stage.supervisor.next_deadline() == stage.now + 80s);
        stage.forget();
        stage.advance(lived);
        CHECK(stage.report().attempts == (lived < 80s ? 1U : 0U));
        CHECK(stage.effects().empty());
        stage.exits(1);
        CHECK(stage.report().attempts == (lived < 80s ? 2U : 1U));
    }
}

TEST_CASE("an exit read in the very turn in which the task became stable opens a new series") {
    Stage stage;
    stage.given_healthy();
    stage.exits(1);
    stage.advance(1s);
    stage.comes_up();
    stage.oversleep(80s + 1ms, [&] { stage.exits(1); });
    CHECK(stage.report().attempts == 1);
    CHECK(stage.report().next_start_in == Duration(1s));
}

TEST_CASE("a task without failed attempts has no deadline to become stable") {
    Stage stage;
    stage.given_healthy();
    CHECK(stage.supervisor.next_deadline() == kNever);
}

TEST_CASE("jitter only lengthens, and differs between tasks so that they do not return together") {
    Stage stage({.max_starting = 16, .max_dead_fraction = std::nullopt, .seed = 42});
    std::vector<Duration> delays;
    for (int i = 0; i < 200; ++i) {
        TaskSpec spec = plain("t" + std::to_string(i));
        spec.restart.edit().jitter = 0.1;
        const TaskId task = stage.given(spec);
        stage.supervisor.handle(task, event::Spawned{Generation{1}, 1}, stage.now);
        stage.supervisor.handle(
            task, event::Exited{Generation{1}, {ExitStatus::Kind::code, 1, 0, false}, true}, stage.now);
        delays.push_back(*stage.supervisor.report(task, stage.now)->next_start_in);
    }
    for (const Duration delay : delays) {
        CHECK(delay >= 1s);
        CHECK(delay <= 1100ms);
    }
    CHECK(*std::max_element(delays.begin(), delays.end()) - *std::min_element(delays.begin(), delays.end()) >
          50ms);
}

TEST_CASE("nasty 32: a kill while a restart is pending leaves the task dead for good") {
    Stage stage;
    stage.given_in(StateName::failed);
    stage.kill();
    CHECK(stage.state() == "dead");
    CHECK(stage.cause() == "operator");
    stage.advance(24h);
    CHECK(stage.state() == "dead");
    CHECK(stage.spawned() == 1);
}

TEST_CASE("nasty 31: a restart while one is pending starts once, at once, with its budget back") {
    Stage stage;
    stage.given_in(StateName::failed);
    stage.forget();
    stage.restart();
    stage.restart();
    stage.everyone_obeys();
    stage.advance(10s);
    CHECK(stage.state() == "healthy");
    CHECK(stage.report().attempts == 0);
    CHECK(stage.spawned() == 1);
}

TEST_CASE("a task killed for silence keeps that as its cause, whatever signal ended it") {
    Stage stage;
    stage.given_healthy(beating());
    stage.advance(2s);
    stage.dies(6);
    CHECK(stage.cause() == "heartbeat-timeout");
    CHECK(stage.report().last_exit->status.signal == 6);
    stage.advance(1s);
    CHECK(stage.state() == "starting");
    CHECK(stage.cause() == "heartbeat-timeout");
    stage.gets_healthy();
    CHECK(stage.cause().empty());
}

}  // namespace
}  // namespace vigil::core::testing
