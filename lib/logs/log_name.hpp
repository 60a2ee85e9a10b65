// Layer logs. What the files of one log are called, and which there are.
//
//   api.log              the present file, the only one that is written to
//   api.log.000041       older files, by a number that only grows
//   api.log.000040.zst   the same, compressed
//   api.log.times        when which byte was written: see log_times.hpp
//
// The present file gets its number when it is put aside: one more than any number there has been.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vigil::logs {

/// An older file of a log.
struct Part {
    std::uint64_t number = 0;  ///< >= 1
    bool compressed = false;
    std::string path;
    ino_t inode = 0;
    std::uint64_t size = 0;       ///< bytes on disk
    std::int64_t changed_at = 0;  ///< wall clock, milliseconds since 1970, of its last write
};

/// "api.log" and 41 -> "api.log.000041"
[[nodiscard]] std::string part_path(std::string_view log_path, std::uint64_t number);
[[nodiscard]] std::string compressed_path(std::string_view part_path);
[[nodiscard]] std::string times_path(std::string_view log_path);

/// The number of a file name that belongs to the log named `log_name` (both without a directory); nothing for
/// any other file, the present one included.
struct PartName {
    std::uint64_t number = 0;
    bool compressed = false;
};
[[nodiscard]] std::optional<PartName> parse_part_name(std::string_view log_name, std::string_view file_name);

/// The older files of the log at `log_path`, by number. Where a part is there both ways (its compression was
/// cut short) only the plain one is listed. Reads the directory; a missing one holds none.
[[nodiscard]] Result<std::vector<Part>> list_parts(const std::string& log_path);

}  // namespace vigil::logs
