// Layer state. A state table for people to read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "state/identity.hpp"

namespace vigil::state {

/// Any bytes as a state table: what its header says and what is wrong with it, then every record that is not
/// empty, whole or not. With `here` it is said whether the table is of this boot. Escaped for a terminal.
[[nodiscard]] std::string dump_bytes(std::span<const std::uint8_t> bytes,
                                     const std::optional<Identity>& here = std::nullopt);

/// The same of a file, be it in use or set aside. Locks nothing and changes nothing; of a record that is
/// being written it shows the content before or after. An error for what is no regular file or larger than
/// any table.
[[nodiscard]] Result<std::string> dump_file(const std::string& path);

}  // namespace vigil::state
