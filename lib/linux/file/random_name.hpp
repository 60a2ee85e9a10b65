// Layer linux. Names that cannot be guessed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vigil::os {

/// 128 bits from getrandom(2).
[[nodiscard]] Result<void> draw_random(std::array<std::uint8_t, 16>& out);

/// 32 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(const std::array<std::uint8_t, 16>& bits);
/// The other way round; nothing for any other text.
[[nodiscard]] std::optional<std::array<std::uint8_t, 16>> from_hex(std::string_view text) noexcept;

}  // namespace vigil::os
