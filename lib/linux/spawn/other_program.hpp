// Layer linux. Another program: asked for what it says, or gone on as.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::os {

struct ProgramAnswer {
    std::string output;    ///< of its standard output, up to 64 KiB
    std::string errors;    ///< of its standard error, the same
    bool in_time = false;  ///< both were closed within the limit; else it was killed
};

/// Runs a program with these arguments (argv[0] included), with `given` as its descriptor 3, /dev/null as its
/// standard input and no other descriptor, all signals at their defaults, until it has closed its outputs.
/// Blocks: for a thread that may. The child is reaped here or by whoever reaps all children of this process,
/// so its exit status is not told.
[[nodiscard]] Result<ProgramAnswer> ask_program(const std::string& path,
                                                const std::vector<std::string>& arguments, int given,
                                                std::chrono::milliseconds limit);
inline constexpr int kGivenDescriptor = 3;

/// A file in memory with this content that nobody can change any more, at its beginning (memfd_create(2)).
/// Close-on-exec.
[[nodiscard]] Result<UniqueFd> sealed_memory(const char* name, std::string_view content);

/// Everything that is in an open file, from its beginning; EFBIG beyond `most` bytes.
[[nodiscard]] Result<std::string> read_all_of(int fd, std::size_t most);

/// execv(2): returns only if that fails, and then everything is as before. `kept` stay open in the new
/// program; every other close-on-exec descriptor is closed. All signals are blocked in the new program, so
/// that one that comes before it has its handlers waits; it unblocks them. From the main thread: the pid, the
/// children and PR_SET_CHILD_SUBREAPER stay, all other threads end.
[[nodiscard]] Error go_on_as(const std::string& path, const std::vector<std::string>& arguments,
                             std::span<const int> kept);

/// Marks a descriptor that came through an exec as close-on-exec again. EBADF: there is none.
[[nodiscard]] Result<UniqueFd> take_inherited(int fd);

}  // namespace vigil::os
