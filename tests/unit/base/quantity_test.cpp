#include "base/quantity.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using vigil::format_duration;
using vigil::format_duration_rough;
using vigil::format_size;
using vigil::parse_duration;
using vigil::parse_size;

namespace {

constexpr auto kDay = std::chrono::hours(24);
constexpr std::uint64_t kLargestSize = std::numeric_limits<std::int64_t>::max();

/// Any magnitude is as likely as any other: a uniform draw would never be small.
std::uint64_t any_magnitude(std::mt19937_64& random, std::uint64_t highest) {
    const std::uint64_t value = random() >> (random() % 64);
    return value % (highest + 1);
}

}  // namespace

TEST_CASE("a duration is a number with a unit") {
    CHECK(*parse_duration("500ms") == 500ms);
    CHECK(*parse_duration("2s") == 2s);
    CHECK(*parse_duration("0s") == 0s);
    CHECK(*parse_duration("007us") == 7us);
    CHECK(*parse_duration("1ns") == 1ns);
    CHECK(*parse_duration("36525d") == 36525 * kDay);
}

TEST_CASE("a duration adds pairs in falling order of unit") {
    CHECK(*parse_duration("1m30s") == 90s);
    CHECK(*parse_duration("1d2h3m4s5ms6us7ns") == kDay + 2h + 3min + 4s + 5ms + 6us + 7ns);
    CHECK(*parse_duration("90m10s") == 90min + 10s);
}

TEST_CASE("a duration takes a fraction in its last pair, exact to the nanosecond") {
    CHECK(*parse_duration("1.5s") == 1500ms);
    CHECK(*parse_duration("1m0.25s") == 60250ms);
    CHECK(*parse_duration("0.000000001s") == 1ns);
    CHECK(*parse_duration("1.5m") == 90s);
    CHECK(*parse_duration("36524.5d") == 36524 * kDay + 12h);
}

TEST_CASE("what is no duration is refused with what to write instead") {
    for (const char* text : {"",
                             " ",
                             "5",
                             "s",
                             "-1s",
                             "+1s",
                             "1 s",
                             " 1s",
                             "1s ",
                             "1S",
                             "1sec",
                             "1.s",
                             ".5s",
                             "1.5m3s",
                             "1s1m",
                             "1s2s",
                             "1e3s",
                             "0x1s",
                             "1.5ns",
                             "0.0000000001s",
                             "1.0000000000s",
                             "18446744073709551616s",
                             "1s\n",
                             "1\xC2\xB5s",
                             "1ms1",
                             "NaN",
                             "inf",
                             "1,5s"}) {
        CAPTURE(text);
        const auto parsed = parse_duration(text);
        REQUIRE_FALSE(parsed.ok());
        CHECK(parsed.error().find("such as \"500ms\"") != std::string::npos);
    }
    CHECK_FALSE(parse_duration(std::string_view("1s\0", 3)).ok());
}

TEST_CASE("a duration beyond 36525 days is refused, however it is put together") {
    for (const char* text :
         {"36526d", "36525d1ns", "18446744073709551615d", "18446744073709551615ns", "876601h", "36525.1d"}) {
        CAPTURE(text);
        const auto parsed = parse_duration(text);
        REQUIRE_FALSE(parsed.ok());
        CHECK(parsed.error().find("too long") != std::string::npos);
    }
}

TEST_CASE("a formatted duration reads well") {
    CHECK(format_duration(0s) == "0s");
    CHECK(format_duration(90s) == "1m30s");
    CHECK(format_duration(1500ms) == "1s500ms");
    CHECK(format_duration(24h) == "1d");
    CHECK(format_duration(-2s) == "-2s");
    CHECK(format_duration(nanoseconds::min()) == "-106751d23h47m16s854ms775us808ns");
}

TEST_CASE("property: every duration in range is read back as it was written") {
    std::mt19937_64 random(20240801);
    const auto highest = static_cast<std::uint64_t>(nanoseconds(36525 * kDay).count());
    for (int round = 0; round < 20'000; ++round) {
        const nanoseconds duration(static_cast<std::int64_t>(any_magnitude(random, highest)));
        const std::string text = format_duration(duration);
        CAPTURE(text);
        const auto back = parse_duration(text);
        REQUIRE(back.ok());
        REQUIRE(*back == duration);
    }
}

TEST_CASE("property: no text makes the parsers do anything but answer") {
    std::mt19937_64 random(7);
    const std::string alphabet = "0123456789.dhmsunkKMGTiB- \0x";
    for (int round = 0; round < 50'000; ++round) {
        std::string text;
        for (std::uint64_t i = random() % 12; i > 0; --i)
            text.push_back(alphabet[random() % alphabet.size()]);
        CAPTURE(text);
        if (const auto duration = parse_duration(text)) {
            REQUIRE(duration->count() >= 0);
            REQUIRE(*parse_duration(format_duration(*duration)) == *duration);
        }
        if (const auto size = parse_size(text)) {
            REQUIRE(*size <= kLargestSize);
            REQUIRE(*parse_size(format_size(*size)) == *size);
        }
    }
}

TEST_CASE("a rough duration shows two units at most, rounded down") {
    CHECK(format_duration_rough(0s) == "0ms");
    CHECK(format_duration_rough(350ms) == "350ms");
    CHECK(format_duration_rough(999'999us) == "999ms");
    CHECK(format_duration_rough(12us) == "12us");
    CHECK(format_duration_rough(7ns) == "7ns");
    CHECK(format_duration_rough(1299ms) == "1.2s");
    CHECK(format_duration_rough(9999ms) == "9.9s");
    CHECK(format_duration_rough(59'999ms) == "59s");
    CHECK(format_duration_rough(90s) == "1m 30s");
    CHECK(format_duration_rough(60s) == "1m");
    CHECK(format_duration_rough(3600s + 59s) == "1h");
    CHECK(format_duration_rough(76h + 59min) == "3d 4h");
    CHECK(format_duration_rough(-90s) == "-1m 30s");
}

TEST_CASE("a rough duration exists for the two ends of the range") {
    CHECK(format_duration_rough(nanoseconds::max()) == "106751d 23h");
    CHECK(format_duration_rough(nanoseconds::min()) == "-106751d 23h");
}

TEST_CASE("a size is a whole number with a binary or decimal unit") {
    CHECK(*parse_size("0B") == 0);
    CHECK(*parse_size("512B") == 512);
    CHECK(*parse_size("64MiB") == 64ULL << 20);
    CHECK(*parse_size("2GB") == 2'000'000'000);
    CHECK(*parse_size("1kB") == 1000);
    CHECK(*parse_size("1KiB") == 1024);
    CHECK(*parse_size("8388607TiB") == 8388607ULL << 40);
    CHECK(*parse_size("9223372036854775807B") == kLargestSize);
}

TEST_CASE("what is no size is refused with what to write instead") {
    for (const char* text : {"", "5", "MiB", "-1B", "+1B", "1 MiB", "1.5MiB", "1mib", "1KB", "1M", "1MiB2KiB",
                             "1e3B", "18446744073709551616B", "1B "}) {
        CAPTURE(text);
        const auto parsed = parse_size(text);
        REQUIRE_FALSE(parsed.ok());
        CHECK(parsed.error().find("such as \"512B\"") != std::string::npos);
    }
}

TEST_CASE("a size that a signed 64-bit number cannot hold is refused") {
    for (const char* text : {"9223372036854775808B", "8388608TiB", "18446744073709551615TiB", "9223373TB"}) {
        CAPTURE(text);
        const auto parsed = parse_size(text);
        REQUIRE_FALSE(parsed.ok());
        CHECK(parsed.error().find("too large") != std::string::npos);
    }
}

TEST_CASE("a formatted size takes the largest binary unit that divides it") {
    CHECK(format_size(0) == "0B");
    CHECK(format_size(1000) == "1000B");
    CHECK(format_size(1024) == "1KiB");
    CHECK(format_size(1536) == "1536B");
    CHECK(format_size(64ULL << 20) == "64MiB");
    CHECK(format_size(5ULL << 40) == "5TiB");
}

TEST_CASE("sizes for people have three digits or so, and never 1000 of a unit") {
    using vigil::format_size_rough;
    CHECK(format_size_rough(0) == "0 B");
    CHECK(format_size_rough(999) == "999 B");
    CHECK(format_size_rough(1000) == "0.98 KiB");
    CHECK(format_size_rough(1536) == "1.50 KiB");
    CHECK(format_size_rough(64U << 20) == "64.0 MiB");
    CHECK(format_size_rough((1ULL << 30) - 1) == "1.00 GiB");
    CHECK(format_size_rough(UINT64_MAX) == "16777216.0 TiB");
}

TEST_CASE("property: every size in range is read back as it was written") {
    std::mt19937_64 random(3);
    for (int round = 0; round < 20'000; ++round) {
        const std::uint64_t size = any_magnitude(random, kLargestSize);
        REQUIRE(*parse_size(format_size(size)) == size);
    }
}
