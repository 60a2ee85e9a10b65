#include "base/text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

using namespace std::string_view_literals;
using vigil::escape_for_display;
using vigil::is_utf8;
using vigil::utf8_sequence_length;

namespace {

/// RFC 3629 written the other way round: the bytes of a code point, to check the reader against.
std::string encode(std::uint32_t point) {
    const auto byte = [](std::uint32_t value) {
        return static_cast<char>(static_cast<unsigned char>(value));
    };
    const auto tail = [&](unsigned shift) { return byte(0x80 | (point >> shift & 0x3F)); };
    if (point < 0x80) return {byte(point)};
    if (point < 0x800) return {byte(0xC0 | point >> 6), tail(0)};
    if (point < 0x10000) return {byte(0xE0 | point >> 12), tail(6), tail(0)};
    return {byte(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
}

bool may_be_shown(unsigned char c) {
    return c == '\t' || (c >= 0x20 && c != 0x7F);
}

}  // namespace

TEST_CASE("every code point but the surrogates is well-formed, and no other sequence of its length is read") {
    for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
        const std::string bytes = encode(point);
        const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        if (utf8_sequence_length(bytes) != (surrogate ? 0 : bytes.size())) {
            CAPTURE(point);
            REQUIRE(utf8_sequence_length(bytes) == (surrogate ? 0 : bytes.size()));
        }
    }
}

TEST_CASE("overlong forms, cut sequences and points beyond U+10FFFF are not UTF-8") {
    for (const std::string_view text :
         {"\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x80\x80"sv, "\xE0\x9F\xBF"sv, "\xF0\x80\x80\x80"sv,
          "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv, "\x80"sv, "\xC3"sv,
          "\xE2\x82"sv, "\xF0\x9F\x98"sv, "\xED\xA0\x80"sv}) {
        CAPTURE(escape_for_display(text));
        CHECK(utf8_sequence_length(text) == 0);
        CHECK_FALSE(is_utf8(text));
    }
    CHECK(utf8_sequence_length("") == 0);
    CHECK(is_utf8(""));
    CHECK(is_utf8("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"));
}

TEST_CASE("nasty 52: controls and broken bytes are escaped, text is not") {
    CHECK(escape_for_display("plain\ttext \\ \xC3\xBC") == "plain\ttext \\ \xC3\xBC");
    CHECK(escape_for_display("a\nb\rc") == "a\\nb\\rc");
    CHECK(escape_for_display("\x1B[2J"sv) == "\\x1b[2J");
    CHECK(escape_for_display("\0\x7F"sv) == "\\x00\\x7f");
    CHECK(escape_for_display("\xC2\x9B"
                             "31m"sv) == "\\xc2\\x9b31m");
    CHECK(escape_for_display("\xC2\xA0"sv) == "\xC2\xA0");
    CHECK(escape_for_display("\xFF\xE2\x82"sv) == "\\xff\\xe2\\x82");
}

TEST_CASE("property: what is shown is UTF-8 without a control, and showing it again changes nothing") {
    std::mt19937 random(5);
    for (int round = 0; round < 20'000; ++round) {
        std::string raw(random() % 24, '\0');
        for (char& c : raw) c = static_cast<char>(static_cast<unsigned char>(random() & 0xFF));
        const std::string shown = escape_for_display(raw);
        REQUIRE(is_utf8(shown));
        REQUIRE(std::all_of(shown.begin(), shown.end(),
                            [](char c) { return may_be_shown(static_cast<unsigned char>(c)); }));
        REQUIRE(escape_for_display(shown) == shown);
        REQUIRE((!is_utf8(raw) || shown.size() >= raw.size()));
    }
}
