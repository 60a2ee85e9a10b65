// Layer output. Pipes of the threads' own, and what can be asked of a task's.
#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::output {

inline constexpr std::size_t kBigPipe = std::size_t{1} << 20U;

struct Pipe {
    UniqueFd read;
    UniqueFd write;
    std::size_t capacity = 0;
};

/// Non-blocking at both ends, as near to kBigPipe as the system gives.
[[nodiscard]] Result<Pipe> make_pipe();

/// Bytes that wait in a pipe; 0 where it cannot be told. Takes the pipe's lock, as do all calls but poll(2):
/// a writer that is held up in the middle of its own write holds up the caller.
[[nodiscard]] std::size_t bytes_waiting(int pipe) noexcept;
[[nodiscard]] std::size_t capacity_of(int pipe) noexcept;
/// To be asked before the pipe is looked into: what is seen then is all there will ever be.
[[nodiscard]] bool writers_are_gone(int pipe) noexcept;

}  // namespace vigil::output
