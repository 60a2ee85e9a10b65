// Layer base. Durations and sizes as people write them: "1m30s", "64MiB".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vigil {

/// Parses one or more number-unit pairs in falling order of unit: ns us ms s m h d ("1m30s", "1.5s", "0s").
/// A fraction is allowed in the last pair only. Range 0 .. 100 years; exact to the nanosecond.
/// The error is one sentence that says what is wrong and what to write instead.
[[nodiscard]] Result<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text);

/// The exact spelling in whole units, largest first, that parse_duration reads back: "1m30s", "500ms", "0s".
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);

/// For people, two units at most, rounded down: "3d 4h", "1m 30s", "1.2s", "350ms".
[[nodiscard]] std::string format_duration_rough(std::chrono::nanoseconds duration);

/// Parses a whole number with a unit: B KiB MiB GiB TiB (powers of 1024) or kB MB GB TB (powers of 1000).
[[nodiscard]] Result<std::uint64_t, std::string> parse_size(std::string_view text);

/// The largest binary unit that divides the size: "64MiB", "1000B".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// For people, rounded to three digits: "512 B", "1.5 KiB", "20.3 MiB".
[[nodiscard]] std::string format_size_rough(std::uint64_t bytes);

}  // namespace vigil
