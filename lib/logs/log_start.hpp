// Layer logs. Where to begin reading a log, and where it ends at that moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace vigil::logs {

/// A byte of a log: of the file with this number, or of the present file if that is the number it will get.
/// Number 0: the beginning of the oldest there is.
struct Place {
    std::uint64_t number = 0;
    std::uint64_t offset = 0;  ///< uncompressed
    friend bool operator==(const Place&, const Place&) = default;
};

struct Range {
    Place begin;
    Place end;
};

/// More than a reader would look for; what bounds the memory of from_last_lines.
inline constexpr std::size_t kMostLines = 1'000'000;

// Each fails where the present file, or the directory, may not be read. A log without any file is an empty
// one.

[[nodiscard]] Result<Range> from_oldest(const std::string& log_path);
/// The last `count` lines (at most kMostLines), an unfinished one at the end counted. A part that cannot be
/// read ends the search: then they are those after it.
[[nodiscard]] Result<Range> from_last_lines(const std::string& log_path, std::size_t count);
/// All that was written at `since` (wall clock, milliseconds since 1970) or later, and, since times are known
/// only now and then, a few seconds more; from the beginning of a line.
[[nodiscard]] Result<Range> from_time(const std::string& log_path, std::int64_t since);

}  // namespace vigil::logs
