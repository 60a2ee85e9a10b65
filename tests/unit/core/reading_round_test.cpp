// Until when everything is read, where a reader stops in between.
#include "core/reading_round.hpp"

#include <doctest/doctest.h>

namespace vigil::core {
namespace {

using namespace std::chrono_literals;

const TimePoint kBegin = TimePoint(1h);

TEST_CASE("whoever has read all there was has read what came until it began to") {
    ReadingRound round;
    round.go_on(100, kBegin);
    CHECK(round.portion(64, false) == std::nullopt);
    CHECK(round.portion(10, true) == kBegin);
}

TEST_CASE("one that stopped and comes to the end later has read what came until it went on") {
    ReadingRound round;
    round.go_on(1000, kBegin);
    CHECK(round.portion(64, false) == std::nullopt);
    round.go_on(1000, kBegin + 3ms);
    CHECK(round.portion(64, false) == std::nullopt);
    CHECK(round.portion(0, true) == kBegin + 3ms);
}

TEST_CASE("where more comes all the time, a round is over when each that was ready at its begin was read") {
    ReadingRound round;
    round.go_on(100, kBegin);
    CHECK(round.portion(64, false) == std::nullopt);
    // Those that came to be watched meanwhile were not ready then.
    round.go_on(5000, kBegin + 3ms);
    CHECK(round.portion(36, false) == std::nullopt);
    // Until then, and not until now: what came meanwhile may be behind those that were read again.
    CHECK(round.portion(1, false) == kBegin);
}

TEST_CASE("after a round comes another one") {
    ReadingRound round;
    round.go_on(10, kBegin);
    CHECK(round.portion(64, false) == kBegin);
    round.go_on(100, kBegin + 1s);
    CHECK(round.portion(64, false) == std::nullopt);
    CHECK(round.portion(64, false) == kBegin + 1s);
}

}  // namespace
}  // namespace vigil::core
