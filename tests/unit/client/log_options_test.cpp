#include "ctl/log_options.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace vigil;
using ctl::parse_since;
using protocol::parse_rfc3339;
using protocol::WallTime;

namespace {

const WallTime kNow = *parse_rfc3339("2026-03-01T12:00:00.250Z");

bool means(const char* text, const char* moment) {
    const auto since = parse_since(text, kNow);
    return since.ok() && *since == parse_rfc3339(moment);
}

}  // namespace

TEST_CASE("a duration counts back from now") {
    CHECK(means("10m", "2026-03-01T11:50:00.250Z"));
    CHECK(means("1d2h", "2026-02-28T10:00:00.250Z"));
    CHECK(means("0s", "2026-03-01T12:00:00.250Z"));
}

TEST_CASE("a moment is taken in every common spelling of RFC 3339") {
    for (const char* text :
         {"2026-03-01T11:30:00Z", "2026-03-01 11:30:00Z", "2026-03-01t11:30:00z", "2026-03-01T11:30:00.000Z",
          "2026-03-01T11:30:00.0000009Z", "2026-03-01T12:30:00+01:00", "2026-03-01T06:00:00-05:30"})
        CHECK_MESSAGE(means(text, "2026-03-01T11:30:00.000Z"), text);
    CHECK(means("2026-03-01T11:30:00.5Z", "2026-03-01T11:30:00.500Z"));
}

TEST_CASE("what is neither is refused with a sentence") {
    for (const char* text : {"", "yesterday", "2026-03-01", "2026-03-01T11:30:00", "2026-03-01T11:30Z",
                             "2026-02-30T11:30:00Z", "2026-03-01T11:30:00.Z", "2026-03-01T11:30:00+0100",
                             "2026-03-01T11:30:00+24:00", "2026-03-01T11:30:00Zx", "-10m", "10"}) {
        const auto since = parse_since(text, kNow);
        REQUIRE_MESSAGE(!since.ok(), text);
        CHECK(!since.error().empty());
    }
}
