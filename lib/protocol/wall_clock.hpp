// Layer protocol. Moments as clients see them: RFC 3339 in UTC with milliseconds.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "core/time.hpp"

namespace vigil::protocol {

using WallTime = std::chrono::system_clock::time_point;

/// Both clocks read at one moment, to show a moment of the steady clock as wall time. Take a fresh one for
/// each answer: the wall clock may be set at any time.
struct ClockReading {
    core::TimePoint steady{};
    WallTime wall{};

    [[nodiscard]] WallTime wall_time(core::TimePoint at) const noexcept;
};

/// "2026-03-01T12:00:00.250Z" without allocation. A moment before 1970 is shown as its beginning.
class Rfc3339 {
  public:
    explicit Rfc3339(WallTime at) noexcept;
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

  private:
    std::array<char, 24> text_{};
};

/// Reads what Rfc3339 writes, and no other form.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text) noexcept;

}  // namespace vigil::protocol
