// Layer state, internal. CRC-32C, the checksum of everything this layer writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vigil::state {

/// CRC-32C (Castagnoli) as RFC 3720, section 12.1 defines it, with the test vectors of its B.4: it finds
/// every burst of up to 32 bits. `before` is the checksum of the bytes that come before these.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t before = 0) noexcept;

}  // namespace vigil::state
