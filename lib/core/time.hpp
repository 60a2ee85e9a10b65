// Layer core. The time that decisions are made in. Core never asks for the time: it is told.
#pragma once

#include <chrono>

namespace vigil::core {

/// CLOCK_MONOTONIC in nanoseconds. The wall clock is for output only and never reaches core.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// "No deadline": later than every time that can be reached.
inline constexpr TimePoint kNever = TimePoint::max();

/// `at + delay` that stops at kNever instead of wrapping.
[[nodiscard]] constexpr TimePoint add_saturating(TimePoint at, Duration delay) noexcept {
    if (at == kNever || (delay > Duration::zero() && at > kNever - delay)) return kNever;
    return at + delay;
}

}  // namespace vigil::core
