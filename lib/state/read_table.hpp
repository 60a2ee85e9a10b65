// Layer state, internal. Tables whose daemon lives and may be writing, be it of an older version.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "state/layout.hpp"

namespace vigil::state {

/// The first `size` bytes of the file as they are; fewer where it has fewer.
[[nodiscard]] Result<std::vector<std::uint8_t>> read_bytes(int fd, std::uint64_t size);
/// The bytes of a table. A record that is not whole is looked at again for some milliseconds: its writer is
/// quick, and what stays so is damaged.
[[nodiscard]] Result<std::vector<std::uint8_t>> read_table(int fd, std::uint64_t size);

/// A table in which header_fault() finds nothing as this version writes it.
[[nodiscard]] std::vector<std::uint8_t> in_present_version(std::vector<std::uint8_t> bytes);

/// The header, or as much of it as there is.
[[nodiscard]] HeaderImage header_of(std::span<const std::uint8_t> bytes) noexcept;
[[nodiscard]] DraftImage draft_of(std::span<const std::uint8_t> bytes) noexcept;
/// `place` must be within the bytes.
[[nodiscard]] RecordImage record_of(std::span<const std::uint8_t> bytes, std::uint32_t place) noexcept;

}  // namespace vigil::state
