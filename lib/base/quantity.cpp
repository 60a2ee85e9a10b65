#include "base/quantity.hpp"

#include <array>
#include <cctype>
#include <cstdio>
#include <limits>

namespace vigil {
namespace {

// The product of a fraction (< 10^9) and the largest factor fits only in 128 bits.
__extension__ using Wide = unsigned __int128;

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<Unit, 7> kTimeUnits{{{"d", 86'400'000'000'000},
                                          {"h", 3'600'000'000'000},
                                          {"m", 60'000'000'000},
                                          {"s", 1'000'000'000},
                                          {"ms", 1'000'000},
                                          {"us", 1'000},
                                          {"ns", 1}}};

constexpr std::array<Unit, 9> kSizeUnits{{{"TiB", 1ULL << 40},
                                          {"GiB", 1ULL << 30},
                                          {"MiB", 1ULL << 20},
                                          {"KiB", 1ULL << 10},
                                          {"B", 1},
                                          {"TB", 1'000'000'000'000},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"kB", 1'000}}};

/// 100 years: far beyond any use, far below the overflow of signed nanoseconds (292 years).
constexpr std::uint64_t kMaxNanoseconds = 36'525ULL * 86'400'000'000'000ULL;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Reads digits from `text` at `at`; false on overflow or when there is none.
bool read_number(std::string_view text, std::size_t& at, std::uint64_t& value) {
    const std::size_t begin = at;
    value = 0;
    while (at < text.size() && is_digit(text[at])) {
        const auto digit = static_cast<std::uint64_t>(text[at] - '0');
        if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return false;
        value = value * 10 + digit;
        ++at;
    }
    return at > begin;
}

std::string_view read_unit(std::string_view text, std::size_t& at) {
    const std::size_t begin = at;
    while (at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])) != 0) ++at;
    return text.substr(begin, at - begin);
}

template <std::size_t N>
std::size_t find_unit(const std::array<Unit, N>& units, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i)
        if (units[i].name == name) return i;
    return N;
}

Failure<std::string> bad_duration(std::string_view text) {
    return Failure{
        "\"" + std::string(text) +
        "\" is not a duration; write a number with a unit, such as \"500ms\", \"2s\" or \"1m30s\""};
}

Failure<std::string> bad_size(std::string_view text) {
    return Failure{
        "\"" + std::string(text) +
        "\" is not a size; write a whole number with a unit, such as \"512B\", \"64MiB\" or \"2GB\""};
}

}  // namespace

Result<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text) {
    std::uint64_t total = 0;
    std::size_t at = 0;
    std::size_t next_unit = 0;
    while (at < text.size()) {
        std::uint64_t whole = 0;
        if (!read_number(text, at, whole)) return bad_duration(text);
        std::uint64_t fraction = 0;
        std::uint64_t scale = 1;
        const bool has_fraction = at < text.size() && text[at] == '.';
        if (has_fraction) {
            ++at;
            const std::size_t begin = at;
            if (!read_number(text, at, fraction) || at - begin > 9) return bad_duration(text);
            for (std::size_t i = begin; i < at; ++i) scale *= 10;
        }
        const std::size_t unit = find_unit(kTimeUnits, read_unit(text, at));
        if (unit == kTimeUnits.size() || unit < next_unit) return bad_duration(text);
        if (has_fraction && at != text.size()) return bad_duration(text);
        next_unit = unit + 1;
        const std::uint64_t factor = kTimeUnits[unit].factor;
        const Wide exact = static_cast<Wide>(fraction) * factor;
        if (exact % scale != 0) return bad_duration(text);
        if (whole > kMaxNanoseconds / factor)
            return Failure{"\"" + std::string(text) + "\" is too long; the longest duration is 36525d"};
        total += whole * factor + static_cast<std::uint64_t>(exact / scale);
        if (total > kMaxNanoseconds)
            return Failure{"\"" + std::string(text) + "\" is too long; the longest duration is 36525d"};
    }
    if (text.empty()) return bad_duration(text);
    return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

std::string format_duration(std::chrono::nanoseconds duration) {
    if (duration.count() == 0) return "0s";
    std::string out = duration.count() < 0 ? "-" : "";
    auto rest = duration.count() < 0 ? 0 - static_cast<std::uint64_t>(duration.count())
                                     : static_cast<std::uint64_t>(duration.count());
    for (const Unit& unit : kTimeUnits) {
        const std::uint64_t count = rest / unit.factor;
        if (count == 0) continue;
        out.append(std::to_string(count)).append(unit.name);
        rest %= unit.factor;
    }
    return out;
}

std::string format_duration_rough(std::chrono::nanoseconds duration) {
    // The smallest number has no counterpart above zero; a nanosecond does not show in a rough length.
    if (duration == duration.min()) return format_duration_rough(duration + std::chrono::nanoseconds(1));
    if (duration.count() < 0) return "-" + format_duration_rough(-duration);
    const auto total = static_cast<std::uint64_t>(duration.count());
    const std::uint64_t seconds = total / 1'000'000'000;
    if (seconds == 0) {
        if (total >= 1'000'000 || total == 0) return std::to_string(total / 1'000'000) + "ms";
        return total >= 1'000 ? std::to_string(total / 1'000) + "us" : std::to_string(total) + "ns";
    }
    if (seconds < 10) {
        char buffer[32];
        std::snprintf(buffer, sizeof buffer, "%llu.%llus", static_cast<unsigned long long>(seconds),
                      static_cast<unsigned long long>(total / 100'000'000 % 10));
        return buffer;
    }
    for (std::size_t i = 0; i + 1 < kTimeUnits.size(); ++i) {
        const std::uint64_t count = total / kTimeUnits[i].factor;
        if (count == 0) continue;
        std::string out = std::to_string(count) + std::string(kTimeUnits[i].name);
        const std::uint64_t next = total % kTimeUnits[i].factor / kTimeUnits[i + 1].factor;
        if (kTimeUnits[i].name != "s" && next != 0)
            out.append(" ").append(std::to_string(next)).append(kTimeUnits[i + 1].name);
        return out;
    }
    return "0s";
}

Result<std::uint64_t, std::string> parse_size(std::string_view text) {
    std::size_t at = 0;
    std::uint64_t count = 0;
    if (!read_number(text, at, count)) return bad_size(text);
    const std::size_t unit = find_unit(kSizeUnits, read_unit(text, at));
    if (unit == kSizeUnits.size() || at != text.size()) return bad_size(text);
    if (count > std::numeric_limits<std::int64_t>::max() / kSizeUnits[unit].factor)
        return Failure{"\"" + std::string(text) + "\" is too large; the largest size is 8388607TiB"};
    return count * kSizeUnits[unit].factor;
}

std::string format_size(std::uint64_t bytes) {
    for (const Unit& unit : kSizeUnits)
        if (bytes != 0 && bytes % unit.factor == 0)
            return std::to_string(bytes / unit.factor) + std::string(unit.name);
    return "0B";
}

std::string format_size_rough(std::uint64_t bytes) {
    static constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    auto size = static_cast<double>(bytes);
    std::size_t unit = 0;
    // What would be shown as 1000 of a unit is shown as a part of the next.
    for (; size >= 999.95 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(),
                  unit == 0   ? "%.0f %s"
                  : size < 10 ? "%.2f %s"
                              : "%.1f %s",
                  size, kUnits[unit]);
    return text.data();
}

}  // namespace vigil
