// Layer daemon. The process of a run that a daemon before this one has left, found by its record.
#pragma once

#include "base/unique_fd.hpp"
#include "linux/self/features.hpp"
#include "state/table.hpp"

namespace vigil::daemon {

/// Its pidfd, as os::find_again() gives it; empty: it is gone.
[[nodiscard]] UniqueFd find_left_run(const state::Found& found, const os::Features& features);
/// SIGKILL to the main process, its group and what is below it; what is in its cgroup is the CgroupHome's to
/// end. Its pidfd, to see that it has ended; empty: it was gone.
[[nodiscard]] UniqueFd kill_left_run(const state::Found& found, const os::Features& features);

}  // namespace vigil::daemon
