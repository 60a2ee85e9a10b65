// Layer logs. The time index beside a log: since raw output carries no times, the writer notes now and then
// up to where the log had come. A file of records of three little-endian 64-bit numbers; a torn last record
// is ignored.
//
// A record is written at most once a second, and then only after 4 KiB more or ten seconds more, so that the
// index stays below a hundredth of its log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::logs {

/// "At this time the next byte of the log was to be byte `offset` of the file with this number."
struct TimeMark {
    std::int64_t at = 0;       ///< wall clock, milliseconds since 1970
    std::uint64_t number = 0;  ///< the file's number, or the one it will get
    std::uint64_t offset = 0;

    friend bool operator==(const TimeMark&, const TimeMark&) = default;
};

/// All whole records in the order written; empty where there is no index. The wall clock may have been set
/// back in between.
[[nodiscard]] Result<std::vector<TimeMark>> read_times(const std::string& times_path);

/// The last whole record; nothing where there is none.
[[nodiscard]] Result<std::optional<TimeMark>> last_time(const std::string& times_path);

/// Where to begin reading for what was written at `since` or later: the last mark that is not after it and
/// has none after it that is; nothing where every mark is later (begin with the oldest).
[[nodiscard]] std::optional<TimeMark> mark_before(const std::vector<TimeMark>& marks, std::int64_t since);

/// One record, as it is appended to the index.
[[nodiscard]] std::string encode(const TimeMark& mark);

}  // namespace vigil::logs
