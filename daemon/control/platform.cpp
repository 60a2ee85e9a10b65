#include "control/platform.hpp"

namespace vigil::daemon {

void tell_platform(protocol::DaemonStatus& status, const os::Features& features, const Keeping& keeping,
                   const os::CgroupHome* cgroups) {
    for (const os::Features::Report& feature : features.report())
        status.features.push_back({std::string(feature.name), std::string(feature.state)});
    status.keeper_pid = keeping.keeper_pid();
    if (cgroups != nullptr) status.cgroup_home = cgroups->base();
}

}  // namespace vigil::daemon
