// Layer state, internal. A core::Cause as bytes: numbers of a known size, and apart from them the one text
// that some causes have.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/cause.hpp"
#include "state/body.hpp"

namespace vigil::state {

inline constexpr std::size_t kPlainCauseSize = 9;  ///< kind, and eight bytes of numbers at most
inline constexpr std::size_t kCauseSize =
    1 + 4 + kPlainCauseSize;  ///< attempts-exhausted with its last cause

struct CauseCode {
    BodyWriter<kCauseSize> body;  ///< empty for cause::None
    /// SpawnFailure::detail or Dependency::task, be it of the cause or of the last one in
    /// attempts-exhausted; a view into the cause.
    std::string_view text;
};

/// Of attempts-exhausted in attempts-exhausted only the attempts are kept.
[[nodiscard]] CauseCode encode_cause(const core::Cause& cause) noexcept;
/// A kind that only a later version knows is None.
[[nodiscard]] core::Cause decode_cause(std::span<const std::uint8_t> body, std::string_view text);

}  // namespace vigil::state
