// Layer state, internal. Tables as vigild wrote them before it had the draft: read, never written.
//
//   file   = header (4096 bytes) record*
//   record = pid word, generation of the pid word, slot, slot        (1024 bytes)
//   slot   = sequence, length, checksum, payload                     (504 bytes)
//
// Header, checksums and payloads are as in layout.hpp. Of the two slots the one counts that is whole and has
// the higher sequence.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "state/layout.hpp"

namespace vigil::state {

[[nodiscard]] bool is_version_1(const HeaderImage& header) noexcept;

namespace version_1 {

inline constexpr std::size_t kRecordSize = 1024;
inline constexpr std::size_t kRecordCapacity = 488;

[[nodiscard]] constexpr std::uint64_t file_size(std::uint32_t records) noexcept {
    return kHeaderSize + std::uint64_t{records} * kRecordSize;
}

/// The same table in the present version: every record in its place, one that is damaged as a damaged one,
/// texts cut where they are too long now. `bytes` begin with a header in which header_fault() finds nothing.
[[nodiscard]] std::vector<std::uint8_t> converted(std::span<const std::uint8_t> bytes);

}  // namespace version_1
}  // namespace vigil::state
