// Layer logs. The lines of a log from some place on, raw as they were printed: read back, or followed while
// they come.
//
//     auto range = logs::from_last_lines(path, 10);
//     logs::LogFollower log(path, range->begin);            // with range->end: only what is there now
//     while (...) show(log.poll(now).items);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "logs/log_walk.hpp"

namespace vigil::logs {

/// A longer line is given in pieces of this length.
inline constexpr std::size_t kMostLineBytes = std::size_t{1} << 20;
/// One poll reads about this much.
inline constexpr std::size_t kPollBytes = std::size_t{256} * 1024;
/// What has no newline yet is given after this time.
inline constexpr std::chrono::milliseconds kUnfinishedAfter{2000};

/// A line, or word of something that is no line; in the order of the log.
struct LogItem {
    enum class Kind : std::uint8_t {
        line,
        gap,         ///< `files` of the log were removed before they were read
        truncated,   ///< the file became shorter: it is read again from its first byte
        unreadable,  ///< `error`: said once, until something can be read again
    };
    Kind kind = Kind::line;
    std::string text{};  ///< without its newline; any bytes at all
    bool cut = false;    ///< no newline ended it: what follows may be the rest of the same line
    std::uint64_t files = 0;
    Error error{};
};

class LogFollower {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    LogFollower(std::string log_path, Place begin, std::optional<Place> end = std::nullopt);

    struct Batch {
        std::vector<LogItem> items;
        bool more = false;  ///< there may be more at once: do not wait before the next poll
    };
    /// Never waits.
    [[nodiscard]] Batch poll(TimePoint now);
    /// What is held back as unfinished, for a reader that goes no further.
    [[nodiscard]] std::optional<LogItem> finish();

  private:
    void take(std::string_view bytes, TimePoint now, std::vector<LogItem>& out);
    void give_unfinished(std::vector<LogItem>& out);
    /// Whether another step is worth while at once.
    bool give_note(LogWalk::Step step, std::vector<LogItem>& out);

    LogWalk walk_;
    std::string unfinished_;
    TimePoint unfinished_since_{};
    std::string last_fault_;
};

}  // namespace vigil::logs
