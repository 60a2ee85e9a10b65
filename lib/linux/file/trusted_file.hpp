// Layer linux. Files whose content decides what runs, and as whom: read only where nobody else can have
// written them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vigil::os {

/// The whole of a regular file. Directories, FIFOs, sockets and devices are refused and never waited for; so
/// is a file of more than `max_bytes`. As root the file must belong to root and be writable for nobody else,
/// and so must every directory above it, on its real path (symbolic links resolved, for the very file that
/// was opened); a directory of root with the sticky bit passes, because there nobody can replace what belongs
/// to root. Error::doing is a whole sentence that names what is in the way.
[[nodiscard]] Result<std::string> read_trusted_file(const std::string& path, std::size_t max_bytes);

/// What glob(7) makes of `pattern`, relative to `directory` unless it begins with a slash; not sorted. No
/// match is an empty list where the pattern has metacharacters, else the path itself. A directory that exists
/// and cannot be read is an error, one that does not exist is not.
[[nodiscard]] Result<std::vector<std::string>> expand_paths(const std::string& directory,
                                                            const std::string& pattern);

}  // namespace vigil::os
