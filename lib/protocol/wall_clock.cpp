#include "protocol/wall_clock.hpp"

#include <algorithm>

namespace vigil::protocol {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;

/// The layout that both directions follow; digits stand where the pattern has a 0.
constexpr std::string_view kPattern = "0000-00-00T00:00:00.000Z";

void put(char* to, unsigned value, int digits) {
    for (int i = digits - 1; i >= 0; --i) {
        to[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

unsigned take(const char* from, int digits) {
    unsigned value = 0;
    for (int i = 0; i < digits; ++i) value = value * 10 + static_cast<unsigned>(from[i] - '0');
    return value;
}

bool fits_pattern(std::string_view text) {
    if (text.size() != kPattern.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (kPattern[i] == '0' ? !digit : text[i] != kPattern[i]) return false;
    }
    return true;
}

}  // namespace

WallTime ClockReading::wall_time(core::TimePoint at) const noexcept {
    return wall + std::chrono::duration_cast<WallTime::duration>(at - steady);
}

Rfc3339::Rfc3339(WallTime at) noexcept {
    // The clock's own range (years 1677 to 2262) lies within what four digits can show, but for its
    // beginning.
    const WallTime shown = std::max(at, WallTime{});
    const auto day = floor<days>(shown);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(floor<milliseconds>(shown - day));
    std::copy(kPattern.begin(), kPattern.end(), text_.begin());
    put(&text_[0], static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put(&text_[5], static_cast<unsigned>(date.month()), 2);
    put(&text_[8], static_cast<unsigned>(date.day()), 2);
    put(&text_[11], static_cast<unsigned>(time.hours().count()), 2);
    put(&text_[14], static_cast<unsigned>(time.minutes().count()), 2);
    put(&text_[17], static_cast<unsigned>(time.seconds().count()), 2);
    put(&text_[20], static_cast<unsigned>(time.subseconds().count()), 3);
}

std::optional<WallTime> parse_rfc3339(std::string_view text) noexcept {
    if (!fits_pattern(text)) return std::nullopt;
    const char* at = text.data();
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(take(at, 4))),
                                           std::chrono::month(take(at + 5, 2)),
                                           std::chrono::day(take(at + 8, 2)));
    // Beyond these years the nanoseconds of the clock would wrap.
    if (!date.ok() || date.year() < std::chrono::year(1970) || date.year() > std::chrono::year(2261))
        return std::nullopt;
    const unsigned hour = take(at + 11, 2);
    const unsigned minute = take(at + 14, 2);
    const unsigned second = take(at + 17, 2);
    if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second) + milliseconds(take(at + 20, 3));
}

}  // namespace vigil::protocol
