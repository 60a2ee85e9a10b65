// Layer state. Files that are one daemon's own: who may be trusted to have written them, and what becomes of
// those that are of no use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::state {

/// A file that could not be used and was moved out of the way.
struct SetAside {
    std::string path;    ///< where it is now
    std::string reason;  ///< a phrase: "cut short: 17 bytes"
};

/// What stands at a path: a usable file (fd), nothing at all (neither), or something else (fault).
struct PrivateFile {
    UniqueFd fd;  ///< read and write, close-on-exec
    std::uint64_t size = 0;
    std::string fault;
};

/// Opens what is at `path`. Never follows a symbolic link there, never waits for a FIFO. Usable is a regular
/// file of the effective user that nobody else may write. An error is for want of something else than a
/// usable file: descriptors, memory, a directory that may be searched.
[[nodiscard]] Result<PrivateFile> open_private(const std::string& path);

/// A new file of mode 0600 at `path`, in place of whatever file is there.
[[nodiscard]] Result<UniqueFd> make_private(const std::string& path);

/// Fills `bytes` from the beginning of the file, and gives how many there were.
[[nodiscard]] Result<std::size_t> read_from_start(int fd, std::span<std::uint8_t> bytes);

/// Renames what is at `path` to "<path>.bad", in place of an older one.
[[nodiscard]] Result<SetAside> set_aside(const std::string& path, std::string reason);

}  // namespace vigil::state
