// Layer linux, internal. One cgroup (v2) through its files: `name` is a path relative to `directory`. See the
// kernel's Documentation/admin-guide/cgroup-v2.rst.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vigil::os::cgroup_files {

/// Whether a living process is in it or below. A cgroup that is gone is empty; one that cannot be read is
/// not.
[[nodiscard]] bool populated(int directory, const std::string& name);
/// All processes in it and below.
[[nodiscard]] std::vector<pid_t> members(int directory, const std::string& name);
[[nodiscard]] Result<void> freeze(int directory, const std::string& name, bool frozen);
/// SIGKILL to everything in it and below, frozen or not. Without cgroup.kill (or told not to use it) it is
/// frozen, so that nothing forks, and its members are killed one by one; then thawed.
[[nodiscard]] Result<void> kill(int directory, const std::string& name, bool with_cgroup_kill);
/// Thaws, kills and waits until nothing lives in it. False: something does after `limit`.
[[nodiscard]] bool end_all(int directory, const std::string& name, bool with_cgroup_kill,
                           std::chrono::milliseconds limit);
/// rmdir, after that of what was made below it. EBUSY: processes live there. Gone already is success.
[[nodiscard]] Result<void> remove(int directory, const std::string& name);

}  // namespace vigil::os::cgroup_files
