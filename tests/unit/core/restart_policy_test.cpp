#include "core/restart_policy.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <limits>
#include <random>

namespace vigil::core {
namespace {

using namespace std::chrono_literals;

RestartRule exact() {
    RestartRule rule;
    rule.jitter = 0;
    return rule;
}

const Cause kFailure{cause::ExitCode{1}};
const std::optional<ExitStatus> kExitOne{{ExitStatus::Kind::code, 1, 0, false}};
const Cause kSuccess{cause::ExitCode{0}};
const std::optional<ExitStatus> kExitZero{{ExitStatus::Kind::code, 0, 0, false}};

TEST_CASE("delays double from the base to the greatest exponent") {
    RestartRule rule = exact();
    rule.max_attempts = std::nullopt;
    const Duration expected[] = {1s, 2s, 4s, 8s, 16s, 32s, 32s, 32s};
    for (unsigned attempts = 0; attempts < std::size(expected); ++attempts)
        CHECK(restart_delay(rule, attempts, 0.5) == expected[attempts]);
}

TEST_CASE("max_delay caps the delay before it is stretched") {
    RestartRule rule = exact();
    rule.max_delay = 3s;
    rule.jitter = 0.5;
    CHECK(restart_delay(rule, 4, 0.0) == 3s);
    CHECK(restart_delay(rule, 4, 0.5) == 3750ms);
}

TEST_CASE("a base delay above max_delay is capped from the first failure on") {
    RestartRule rule = exact();
    rule.base_delay = 10min;
    CHECK(restart_delay(rule, 0, 0.0) == 5min);
}

TEST_CASE("a base delay of zero stays zero, with any jitter") {
    RestartRule rule;
    rule.base_delay = 0s;
    rule.jitter = 1;
    CHECK(restart_delay(rule, 60, 0.99) == 0s);
}

TEST_CASE("nasty 63: the delay is capped and never wraps after 10,000 failures and more") {
    RestartRule rule;
    rule.max_backoff_exponent = 62;
    CHECK(restart_delay(rule, 10'000, 0.0) == 5min);
    CHECK(restart_delay(rule, std::numeric_limits<unsigned>::max(), 0.0) == 5min);
    rule.base_delay = 876'000h;
    rule.max_delay = Duration::max();
    rule.jitter = 1;
    CHECK(restart_delay(rule, 10'000, 0.999) == Duration::max());
}

TEST_CASE("jitter stretches by its fraction at most and never shortens") {
    RestartRule rule;
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> fraction(0.0, 1.0);
    for (int i = 0; i < 20'000; ++i) {
        rule.jitter = fraction(random);
        rule.base_delay = Duration(static_cast<Duration::rep>(random() % 10'000'000'000));
        const auto attempts = static_cast<unsigned>(random() % 10);
        RestartRule bare = rule;
        bare.jitter = 0;
        const Duration plain = restart_delay(bare, attempts, 0.0);
        const Duration stretched = restart_delay(rule, attempts, fraction(random));
        REQUIRE(stretched >= plain);
        REQUIRE(std::chrono::duration<double>(stretched) <=
                std::chrono::duration<double>(plain) * (1.0 + rule.jitter) +
                    std::chrono::duration<double>(1us));
    }
}

TEST_CASE("nasty 3, 8: the host's faults wait 100 ms, doubling to 5 s, and ETXTBSY never more than 100 ms") {
    CHECK(host_fault_delay(1, EAGAIN) == 100ms);
    CHECK(host_fault_delay(2, ENOMEM) == 200ms);
    CHECK(host_fault_delay(6, EMFILE) == 3200ms);
    CHECK(host_fault_delay(7, ENFILE) == 5s);
    CHECK(host_fault_delay(4'000'000'000U, EMFILE) == 5s);
    CHECK(host_fault_delay(9, ETXTBSY) == 100ms);
}

TEST_CASE("on-failure completes on a success code, and retries anything else") {
    RestartRule rule = exact();
    CHECK(judge_end(rule, kSuccess, kExitZero, 0) == Verdict::complete);
    CHECK(judge_end(rule, kFailure, kExitOne, 0) == Verdict::retry);
    CHECK(judge_end(rule, {cause::SpawnFailed{}}, std::nullopt, 0) == Verdict::retry);
    rule.success_exit_codes = {1, 3};
    CHECK(judge_end(rule, kFailure, kExitOne, 0) == Verdict::complete);
    CHECK(judge_end(rule, kSuccess, kExitZero, 0) == Verdict::retry);
}

TEST_CASE("an unknown end is a failure, never a success") {
    CHECK(judge_end(exact(), {cause::ExitUnknown{}}, ExitStatus{}, 0) == Verdict::retry);
}

TEST_CASE("a silent task that exits 0 when it is ended has failed all the same") {
    CHECK(judge_end(exact(), {cause::HeartbeatTimeout{2s}}, kExitZero, 0) == Verdict::retry);
    CHECK(judge_end(exact(), {cause::ReadyTimeout{3s}}, kExitZero, 5) == Verdict::exhausted);
}

TEST_CASE("the budget is spent when the attempts have reached the maximum") {
    RestartRule rule = exact();
    CHECK(judge_end(rule, kFailure, kExitOne, 4) == Verdict::retry);
    CHECK(judge_end(rule, kFailure, kExitOne, 5) == Verdict::exhausted);
    rule.max_attempts = 0;
    CHECK(judge_end(rule, kFailure, kExitOne, 0) == Verdict::exhausted);
    rule.max_attempts = std::nullopt;
    CHECK(judge_end(rule, kFailure, kExitOne, 4'000'000'000U) == Verdict::retry);
}

TEST_CASE("keep-trying is never exhausted") {
    RestartRule rule = exact();
    rule.when_exhausted = WhenExhausted::keep_trying;
    CHECK(judge_end(rule, kFailure, kExitOne, 5) == Verdict::retry);
}

TEST_CASE("never ends with the first end, always with the last attempt") {
    RestartRule rule = exact();
    rule.policy = RestartPolicy::never;
    CHECK(judge_end(rule, kFailure, kExitOne, 0) == Verdict::final_failure);
    CHECK(judge_end(rule, kSuccess, kExitZero, 0) == Verdict::complete);
    rule.policy = RestartPolicy::always;
    CHECK(judge_end(rule, kSuccess, kExitZero, 0) == Verdict::retry);
    CHECK(judge_end(rule, kSuccess, kExitZero, 5) == Verdict::exhausted);
}

}  // namespace
}  // namespace vigil::core
