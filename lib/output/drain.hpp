// Layer output. Taking from a pipe what cannot be written.
#pragma once

#include <string>

#include "output/losses.hpp"
#include "output/stream.hpp"

namespace vigil::output {

inline constexpr std::size_t kDrainBytes = std::size_t{64} << 10U;

/// Under Log::take. Reads at most about `most` bytes and counts them, but for those that are claimed: they
/// are being written, and only leave the pipe here. `buffer` is for its use.
struct Drained {
    Moved how = Moved::dry;
    Losses lost;
};
[[nodiscard]] Drained drain(Stream& stream, std::size_t most, std::string& buffer);

/// Under Log::take. Before anything that is claimed leaves the pipe.
void end_note(Stream& stream) noexcept;

/// Under Log::take. What is claimed leaves the pipe, though it is not written yet: it is safe with whoever
/// writes it, but for a daemon that is killed meanwhile.
void drain_claimed(Stream& stream, std::string& buffer);

/// Once the stream is finishing, sets how much is still taken: what waits, and one pipeful that a stranger
/// who holds a write end may add meanwhile.
void limit_what_is_left(Stream& stream);

}  // namespace vigil::output
