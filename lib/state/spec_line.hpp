// Layer state, internal. The lines of a spec store.
//
//   file = "vigil-specs" TAB version TAB next id LF *line
//   line = id TAB name TAB origin TAB checksum TAB json LF
//
// The checksum is CRC-32C, eight hexadecimal digits, of the line without it and its TAB, and without LF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/specs.hpp"

namespace vigil::state {

[[nodiscard]] std::string spec_head(std::uint64_t next_id);
/// The next id; nothing: no line of that kind, or of another version.
[[nodiscard]] std::optional<std::uint64_t> parse_spec_head(std::string_view line);

/// With LF.
[[nodiscard]] std::string spec_line(const StoredSpec& spec);
/// Without LF. Nothing: the line is damaged.
[[nodiscard]] std::optional<StoredSpec> parse_spec_line(std::string_view line);

}  // namespace vigil::state
