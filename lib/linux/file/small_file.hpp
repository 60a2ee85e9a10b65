// Layer linux, internal. Small files of /proc and of cgroups, read and written whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vigil::os {

/// What is in the file, at most `most` bytes of it; relative paths from `directory`. Nothing and errno where
/// it cannot be read.
[[nodiscard]] std::optional<std::string> read_small_file(int directory, const char* path,
                                                         std::size_t most = std::size_t{1} << 20U);

/// The same of a descriptor, from its beginning whatever was read before (pread(2)).
[[nodiscard]] std::optional<std::string> read_from_start(int fd, std::size_t most = std::size_t{1} << 20U);

/// Writes `text` by one write(2), as files of cgroups want it; 0 or an errno.
[[nodiscard]] int write_small_file(int directory, const char* path, std::string_view text) noexcept;

/// The number after "key " at the beginning of a line ("populated 1", "oom_kill 3").
[[nodiscard]] std::optional<std::uint64_t> find_counter(std::string_view text, std::string_view key) noexcept;

}  // namespace vigil::os
