#include "protocol/json_cursor.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace vigil::protocol {
namespace {

void append_utf8(std::string& to, std::uint32_t c) {
    const auto byte = [&to](std::uint32_t value) { to.push_back(static_cast<char>(value)); };
    if (c < 0x80U) {
        byte(c);
    } else if (c < 0x800U) {
        byte(0xC0U | c >> 6U);
        byte(0x80U | (c & 0x3FU));
    } else if (c < 0x10000U) {
        byte(0xE0U | c >> 12U);
        byte(0x80U | (c >> 6U & 0x3FU));
        byte(0x80U | (c & 0x3FU));
    } else {
        byte(0xF0U | c >> 18U);
        byte(0x80U | (c >> 12U & 0x3FU));
        byte(0x80U | (c >> 6U & 0x3FU));
        byte(0x80U | (c & 0x3FU));
    }
}

std::optional<std::uint32_t> hex4(std::string_view text) {
    std::uint32_t value = 0;
    if (text.size() < 4) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 4, value, 16);
    if (error != std::errc() || end != text.data() + 4) return std::nullopt;
    return value;
}

/// Appends what a \u escape stands for; `text` begins after the "\u". Gives the bytes taken, 0 for a
/// violation.
std::size_t append_unicode(std::string& to, std::string_view text) {
    const auto first = hex4(text);
    if (!first) return 0;
    if (*first < 0xD800U || *first > 0xDFFFU) {
        append_utf8(to, *first);
        return 4;
    }
    if (*first > 0xDBFFU || text.substr(4, 2) != "\\u") return 0;
    const auto second = hex4(text.substr(6));
    if (!second || *second < 0xDC00U || *second > 0xDFFFU) return 0;
    append_utf8(to, 0x10000U + ((*first - 0xD800U) << 10U) + (*second - 0xDC00U));
    return 10;
}

/// False for a violation.
bool unescape(std::string_view raw, std::string& to) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    to.clear();
    while (!raw.empty()) {
        const std::size_t plain = std::min(raw.find('\\'), raw.size());
        to.append(raw.substr(0, plain));
        raw.remove_prefix(plain);
        if (raw.empty()) return true;
        if (raw.size() < 2) return false;
        const char letter = raw[1];
        raw.remove_prefix(2);
        if (letter == 'u') {
            const std::size_t taken = append_unicode(to, raw);
            if (taken == 0) return false;
            raw.remove_prefix(taken);
            continue;
        }
        const std::size_t place = kLetters.find(letter);
        if (place == std::string_view::npos) return false;
        to.push_back(kMeanings[place]);
    }
    return true;
}

/// What a character means outside of strings, for stepping over values fast.
enum class Mark : unsigned char { other, quote, open, close, separator, blank };

constexpr std::array<Mark, 256> marks() {
    std::array<Mark, 256> table{};
    const auto mark = [&table](std::string_view characters, Mark meaning) {
        for (const char c : characters) table[static_cast<unsigned char>(c)] = meaning;
    };
    mark("\"", Mark::quote);
    mark("{[", Mark::open);
    mark("}]", Mark::close);
    mark(",:", Mark::separator);
    mark(" \t\r\n", Mark::blank);
    return table;
}
constexpr std::array<Mark, 256> kMarks = marks();

Mark mark_of(char c) {
    return kMarks[static_cast<unsigned char>(c)];
}

/// The first quote or backslash; `end` where there is none. Most of a daemon's answer is strings, and most of
/// those end within the first sixteen bytes.
const char* find_quote_or_backslash(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    const __m128i quotes = _mm_set1_epi8('"');
    const __m128i backslashes = _mm_set1_epi8('\\');
    for (; end - at >= 16; at += 16) {
        __m128i bytes;
        std::memcpy(&bytes, at, sizeof bytes);
        const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, backslashes));
        if (const int places = _mm_movemask_epi8(found); places != 0)
            return at + std::countr_zero(static_cast<unsigned>(places));
    }
#endif
    while (at != end && *at != '"' && *at != '\\') ++at;
    return at;
}

}  // namespace

std::string JsonCursor::error() const {
    if (error_ == nullptr) return {};
    return std::string(error_) + " was expected at byte " + std::to_string(error_at_ - begin_);
}

void JsonCursor::fail(const char* expected) noexcept {
    if (error_ != nullptr) return;
    error_ = expected;
    error_at_ = at_;
    at_ = end_;
}

bool JsonCursor::enter_object() {
    first_ = take('{');
    if (!first_) fail("an object");
    return first_;
}

bool JsonCursor::enter_array() {
    first_ = take('[');
    if (!first_) fail("an array");
    return first_;
}

/// True when a member or an element follows.
bool JsonCursor::separated(char closing) noexcept {
    if (!ok()) return false;
    const bool first = std::exchange(first_, false);
    if (take(closing)) return false;
    if (first || take(',')) return true;
    fail("a comma or the end of what was begun");
    return false;
}

std::optional<std::string_view> JsonCursor::next_member() {
    if (!separated('}')) return std::nullopt;
    bool escaped = false;
    const std::string_view key = string_token(escaped);
    if (ok() && !take(':')) fail("a colon");
    if (!ok()) return std::nullopt;
    return key;
}

bool JsonCursor::next_element() {
    return separated(']');
}

bool JsonCursor::take_null() {
    if (peek() != 'n') return false;
    if (end_ - at_ >= 4 && std::memcmp(at_, "null", 4) == 0)
        at_ += 4;
    else
        fail("null");
    return true;
}

bool JsonCursor::next_is_object() noexcept {
    return peek() == '{';
}

void JsonCursor::read(bool& to) {
    const char c = peek();
    const std::string_view word = c == 't' ? "true" : "false";
    if (static_cast<std::size_t>(end_ - at_) < word.size() || std::string_view(at_, word.size()) != word)
        return fail("true or false");
    to = c == 't';
    at_ += word.size();
}

bool JsonCursor::read_integer(std::int64_t& to) {
    (void)peek();
    const auto [end, error] = std::from_chars(at_, end_, to);
    if (error != std::errc() || (end != end_ && (*end == '.' || *end == 'e' || *end == 'E'))) {
        fail("an integer");
        return false;
    }
    at_ = end;
    return true;
}

std::string_view JsonCursor::string_token(bool& escaped) {
    if (!take('"')) {
        fail("a string");
        return {};
    }
    const char* const from = at_;
    const char* at = find_quote_or_backslash(from, end_);
    while (at != end_ && *at == '\\') {
        escaped = true;
        // What is escaped ends nothing.
        at = end_ - at < 2 ? end_ : find_quote_or_backslash(at + 2, end_);
    }
    at_ = at;
    if (at == end_) {
        fail("the end of a string");
        return {};
    }
    ++at_;
    return {from, static_cast<std::size_t>(at - from)};
}

void JsonCursor::read(std::string& to) {
    bool escaped = false;
    const std::string_view raw = string_token(escaped);
    if (!ok()) return;
    if (!escaped)
        to.assign(raw);
    else if (!unescape(raw, to))
        fail("a string with valid escapes");
}

std::string_view JsonCursor::skip() {
    (void)peek();
    const char* const from = at_;
    // In a local: a store through `this` for each byte would cost more than the scan.
    const char* at = at_;
    std::size_t depth = 0;
    do {
        const Mark mark = at == end_ ? Mark::blank : mark_of(*at);
        if (mark == Mark::quote) {
            at_ = at;
            bool escaped = false;
            (void)string_token(escaped);
            at = at_;
        } else if (mark == Mark::other) {
            while (at != end_ && mark_of(*at) == Mark::other) ++at;
        } else if (at == end_ || (depth == 0 && mark != Mark::open)) {
            at_ = at;
            fail("a value");
        } else {
            if (mark == Mark::open) ++depth;
            if (mark == Mark::close) --depth;
            ++at;
        }
    } while (ok() && depth > 0);
    if (!ok()) return {};
    at_ = at;
    first_ = false;
    return {from, static_cast<std::size_t>(at - from)};
}

void JsonCursor::expect_end() {
    if (!ok()) return;
    (void)peek();
    if (at_ != end_) fail("the end");
}

}  // namespace vigil::protocol
