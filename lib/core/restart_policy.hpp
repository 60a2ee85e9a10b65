// Layer core. The restart rules, as functions of their inputs.
//
//   delay = base_delay * 2^min(attempts, max_backoff_exponent), at most max_delay, then stretched by a random
//   part of up to `jitter`. The attempt is counted after the delay is computed: with the defaults 1, 2, 4, 8
//   and 16 s, and the sixth failure in a row is final.
#pragma once

#include <optional>

#include "core/cause.hpp"
#include "core/spec.hpp"

namespace vigil::core {

/// `random` is uniform in [0, 1). Saturates instead of overflowing; never shorter than the delay without
/// jitter.
[[nodiscard]] Duration restart_delay(const RestartRule& rule, unsigned attempts, double random) noexcept;

/// How long to wait after the n-th (1, 2, ...) spawn in a row that failed by the host's fault: 100 ms,
/// doubling, at most 5 s. ETXTBSY passes quickly and never waits more than 100 ms.
[[nodiscard]] Duration host_fault_delay(unsigned faults, int error) noexcept;

enum class Verdict : std::uint8_t { complete, retry, final_failure, exhausted };

/// What follows the end of a run that no order asked for. `ended` is empty where no process came to be.
[[nodiscard]] Verdict judge_end(const RestartRule& rule, const Cause& why,
                                const std::optional<ExitStatus>& ended, unsigned attempts) noexcept;

}  // namespace vigil::core
