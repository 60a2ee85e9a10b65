#include "protocol/wall_clock.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using vigil::protocol::parse_rfc3339;
using vigil::protocol::Rfc3339;
using vigil::protocol::WallTime;

TEST_CASE("a moment is written with milliseconds and read back") {
    const WallTime at = WallTime{} + 1'772'366'400s + 250ms;
    CHECK(Rfc3339(at).view() == "2026-03-01T12:00:00.250Z");
    CHECK(parse_rfc3339("2026-03-01T12:00:00.250Z") == at);
    CHECK(Rfc3339(WallTime{}).view() == "1970-01-01T00:00:00.000Z");
    CHECK(Rfc3339(WallTime{} - 5s).view() == "1970-01-01T00:00:00.000Z");
    CHECK(parse_rfc3339("2024-02-29T23:59:59.999Z").has_value());
}

TEST_CASE("no other form of a moment is read") {
    for (const char* text :
         {"", "2026-03-01", "2026-03-01T12:00:00Z", "2026-03-01 12:00:00.250Z", "2026-02-29T00:00:00.000Z",
          "2026-13-01T00:00:00.000Z", "2026-03-01T24:00:00.000Z", "2026-03-01T00:60:00.000Z",
          "0001-01-01T00:00:00.000Z", "9999-12-31T00:00:00.000Z", "2026-03-01T12:00:00.250z"}) {
        CAPTURE(text);
        CHECK(!parse_rfc3339(text));
    }
}

TEST_CASE("nasty 46: the wall clock set by a year moves what is shown and nothing else") {
    const vigil::core::TimePoint started{100s};
    const vigil::protocol::ClockReading before{vigil::core::TimePoint{160s}, WallTime{} + 1'000'000s};
    const vigil::protocol::ClockReading after{vigil::core::TimePoint{160s}, WallTime{} + 1'000'000s + 8760h};
    CHECK(before.wall_time(started) == WallTime{} + 999'940s);
    CHECK(after.wall_time(started) - before.wall_time(started) == 8760h);
}
