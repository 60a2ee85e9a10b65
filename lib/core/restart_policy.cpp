#include "core/restart_policy.hpp"

#include <algorithm>
#include <cerrno>

namespace vigil::core {
namespace {

constexpr Duration kFirstFaultDelay = std::chrono::milliseconds(100);
constexpr Duration kLongestFaultDelay = std::chrono::seconds(5);

/// `base * 2^exponent`, at most `cap`. Both durations >= 0, exponent <= 62.
Duration doubled(Duration base, unsigned exponent, Duration cap) noexcept {
    const auto factor = Duration::rep{1} << exponent;
    // Dividing the cap cannot overflow where multiplying the base could.
    if (base > cap / factor) return cap;
    return base * factor;
}

bool ended_well(const RestartRule& rule, const Cause& why, const std::optional<ExitStatus>& ended) {
    // A silent task that we ended may still exit with 0; what counts is why it had to be ended.
    if (!ended || !std::holds_alternative<cause::ExitCode>(why.kind)) return false;
    return std::binary_search(rule.success_exit_codes.begin(), rule.success_exit_codes.end(), ended->code);
}

}  // namespace

Duration restart_delay(const RestartRule& rule, unsigned attempts, double random) noexcept {
    const unsigned exponent = std::min({attempts, rule.max_backoff_exponent, 62U});
    const Duration delay = doubled(rule.base_delay, exponent, rule.max_delay);
    const double stretch = static_cast<double>(delay.count()) * rule.jitter * random;
    const Duration room = Duration::max() - delay;
    if (stretch >= static_cast<double>(room.count())) return Duration::max();
    return delay + std::max(Duration(static_cast<Duration::rep>(stretch)), Duration::zero());
}

Duration host_fault_delay(unsigned faults, int error) noexcept {
    if (error == ETXTBSY) return kFirstFaultDelay;
    const unsigned exponent = std::min(std::max(faults, 1U) - 1, 62U);
    return doubled(kFirstFaultDelay, exponent, kLongestFaultDelay);
}

Verdict judge_end(const RestartRule& rule, const Cause& why, const std::optional<ExitStatus>& ended,
                  unsigned attempts) noexcept {
    const bool well = ended_well(rule, why, ended);
    if (well && rule.policy != RestartPolicy::always) return Verdict::complete;
    if (rule.policy == RestartPolicy::never) return Verdict::final_failure;
    const bool exhausted = rule.max_attempts && attempts >= *rule.max_attempts;
    if (exhausted && rule.when_exhausted == WhenExhausted::dead) return Verdict::exhausted;
    return Verdict::retry;
}

}  // namespace vigil::core
