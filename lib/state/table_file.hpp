// Layer state, internal. The file of a table: whether there is one that can be used, and making it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "state/identity.hpp"
#include "state/private_file.hpp"

namespace vigil::state {

/// Storage for the first `size` bytes, or the errno: a store into a hole on a full disk would be SIGBUS.
[[nodiscard]] int allocate_storage(int fd, std::uint64_t size) noexcept;

/// Why the file is no table of ours, be it of an older version; empty: it is.
[[nodiscard]] std::string fault_of_file(const PrivateFile& file, const Identity& identity);

/// A new file that begins so, in place of whatever is at `path`. Under another name until it is whole: at
/// `path` there never is half a table.
[[nodiscard]] Result<UniqueFd> make_table_file(const std::string& path, std::span<const std::uint8_t> begin,
                                               std::uint64_t size);

/// The table itself, or where it is of an older version one with the same records in its place.
[[nodiscard]] Result<PrivateFile> in_present_version(const std::string& path, PrivateFile file);

}  // namespace vigil::state
