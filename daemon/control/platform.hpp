// Layer daemon. What the daemon has to work with, as daemon.status tells it.
#pragma once

#include "linux/cgroup/cgroup.hpp"
#include "linux/self/features.hpp"
#include "protocol/daemon_status.hpp"
#include "recovery/keeping.hpp"

namespace vigil::daemon {

/// `cgroups` may be null: tasks get none.
void tell_platform(protocol::DaemonStatus& status, const os::Features& features, const Keeping& keeping,
                   const os::CgroupHome* cgroups);

}  // namespace vigil::daemon
