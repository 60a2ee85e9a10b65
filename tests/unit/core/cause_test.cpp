#include "core/cause.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <memory>

#include "core/state.hpp"

namespace vigil::core {
namespace {

using namespace std::chrono_literals;

TEST_CASE("nasty 15: exit code, signal and core dump are told apart") {
    CHECK(explain(cause_of({ExitStatus::Kind::code, 3, 0, false})) == "exit code 3");
    CHECK(explain(cause_of({ExitStatus::Kind::signal, 0, 11, true})) == "killed by SEGV (core dumped)");
    CHECK(explain(cause_of({ExitStatus::Kind::signal, 0, 9, false})) == "killed by KILL");
    CHECK(explain(cause_of({})) == "ended, exit status unknown");
}

TEST_CASE("nasty 16: an exit code of 128+n is no signal") {
    const Cause cause = cause_of({ExitStatus::Kind::code, 143, 0, false});
    CHECK(cause_name(cause) == "exit-code");
    CHECK(explain(cause) == "exit code 143");
}

TEST_CASE("what was done to a task, and by whom or what, is said in words") {
    CHECK(explain({cause::Dependency{"db"}}) == "dependency db");
    CHECK(explain({cause::ConfigReload{}}) == "configuration reloaded");
    CHECK(explain({cause::Shutdown{}}) == "shutdown");
    CHECK(explain({cause::Adopted{}}) == "adopted from an earlier daemon");
    CHECK(explain({cause::OutOfMemory{}}) == "killed for want of memory");
    CHECK(explain({cause::AttemptsExhausted{5, nullptr}}) == "attempts exhausted after 5");
}

TEST_CASE("causes have the words of the closed list") {
    CHECK(cause_name({}).empty());
    CHECK(cause_name({cause::ByOperator{}}) == "operator");
    CHECK(cause_name({cause::ExitCode{}}) == "exit-code");
    CHECK(cause_name({cause::ExitSignal{}}) == "exit-signal");
    CHECK(cause_name({cause::ExitUnknown{}}) == "exit-code");
    CHECK(cause_name({cause::HeartbeatTimeout{}}) == "heartbeat-timeout");
    CHECK(cause_name({cause::ReadyTimeout{}}) == "ready-timeout");
    CHECK(cause_name({cause::SpawnFailed{}}) == "spawn-failed");
    CHECK(cause_name({cause::AttemptsExhausted{}}) == "attempts-exhausted");
    CHECK(cause_name({cause::Dependency{}}) == "dependency");
    CHECK(cause_name({cause::ConfigReload{}}) == "config-reload");
    CHECK(cause_name({cause::Shutdown{}}) == "shutdown");
    CHECK(cause_name({cause::Adopted{}}) == "adopted");
    CHECK(cause_name({cause::OutOfMemory{}}) == "oom");
}

TEST_CASE("an explanation says what happened, with the last failure inside an exhaustion") {
    CHECK(explain({}).empty());
    CHECK(explain({cause::HeartbeatTimeout{2s}}) == "no heartbeat for 2s");
    CHECK(explain({cause::ReadyTimeout{1500ms}}) == "not ready within 1s500ms");
    CHECK(explain({cause::ByOperator{{1000, 77}}}) == "ordered by uid 1000 (pid 77)");
    const auto last = std::make_shared<const Cause>(Cause{cause::ExitCode{3}});
    CHECK(explain({cause::AttemptsExhausted{5, last}}) == "attempts exhausted after 5: exit code 3");
}

TEST_CASE("nasty 1: a failed start is explained by its step, its errno and what was tried") {
    const Cause cause{cause::SpawnFailed{{SpawnStage::cwd, ENOENT, "/srv/gone"}}};
    CHECK(explain(cause) == "start failed at cwd: /srv/gone: No such file or directory (ENOENT)");
    CHECK(stage_name(SpawnStage::exec) == "exec");
    CHECK(stage_name(SpawnStage::prepare_environment) == "prepare-environment");
    CHECK(stage_name(SpawnStage::clone) == "clone");
}

TEST_CASE("states are read back from the words that they are written as") {
    for (std::size_t index = 0; index < std::variant_size_v<State>; ++index) {
        const auto name = static_cast<StateName>(index);
        CHECK(parse_state_name(to_string(name)) == name);
    }
    CHECK_FALSE(parse_state_name("Healthy").has_value());
    CHECK(name_of(State{state::Dead{}}) == StateName::dead);
}

}  // namespace
}  // namespace vigil::core
