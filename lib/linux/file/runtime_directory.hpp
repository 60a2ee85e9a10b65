// Layer linux. The directory of sockets and lock of one daemon.
#pragma once

#include <sys/types.h>

#include <string>
#include <unordered_set>

#include "base/result.hpp"

namespace vigil::os {

struct RuntimeDirectory {
    std::string path;
    std::string notify;  ///< path + "/notify", holds the tasks' notify sockets
};

/// Makes the directories above `path` that are missing. Where that is not allowed (EACCES, EROFS), it is left
/// to what is done there next to find that one is not there.
[[nodiscard]] Result<void> make_parents(const std::string& path, mode_t mode);

/// Makes `path` (absolute; missing parents 0755) and its notify/ as directories of mode 0711. What exists
/// already must be a directory, not a symbolic link, owned by the effective user and not writable for others;
/// its mode is set. The error says which of these failed.
[[nodiscard]] Result<RuntimeDirectory> prepare_runtime_directory(const std::string& path);

/// Removes the sockets in `notify` that a dead daemon has left, and returns how many; those at the paths in
/// `keep` belong to tasks that live on. Only for the holder of the instance lock, before the first spawn.
/// Anything that is not a socket is left alone.
[[nodiscard]] Result<std::size_t> remove_stale_notify_sockets(
    const std::string& notify, const std::unordered_set<std::string>& keep = {});

}  // namespace vigil::os
