// Layer linux. Files that are there whole or not at all, whatever happens in between: power, a full disk, a
// kill.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vigil::os {

enum class IfExists : std::uint8_t { replace, refuse };

/// Writes `text` beside `path`, brings it to the disk (fsync), puts it in its place in one step and brings
/// the directory to the disk. `mode` is the file's whatever the umask; the directory must exist. On an error
/// nothing has changed. With IfExists::refuse anything at `path` is EEXIST, a link that leads nowhere too.
[[nodiscard]] Result<void> write_durably(const std::string& path, std::string_view text, mode_t mode,
                                         IfExists if_exists);

/// Takes away what writes in that directory have left behind that were cut off by a kill: files of ours under
/// their first name whose writer is gone, which is known by a lock. Each write begins with it. What cannot be
/// taken away stays.
void remove_unfinished(const std::string& directory);

/// Removes a file so that it stays removed after a power failure.
[[nodiscard]] Result<void> remove_durably(const std::string& path);

}  // namespace vigil::os
