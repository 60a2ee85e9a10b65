// The clock of all measurements: CLOCK_MONOTONIC in nanoseconds, as the workers report it.
#pragma once

#include <time.h>

#include <cstdint>

namespace vigil::bench {

inline std::int64_t now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

inline constexpr double ms_of(std::int64_t ns) {
    return static_cast<double>(ns) / 1e6;
}
inline constexpr double us_of(std::int64_t ns) {
    return static_cast<double>(ns) / 1e3;
}

/// Sleeps; only ever between measurements.
void rest(std::int64_t ns);

}  // namespace vigil::bench
