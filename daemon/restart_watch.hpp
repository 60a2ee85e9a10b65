// Layer daemon. A stop of the unit in the moment in which systemd waits to start a vigild that crashed runs
// nothing of the unit (systemd.service(5): ExecStopPost was run after the crash). So the clean-up after a
// crash leaves a process behind, which waits with systemd, and does after such a stop what a clean-up after
// any other does.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace vigil::daemon {

/// Returns at once, in a process with one thread; the one that is left behind calls `clean_up` if the unit is
/// stopped before a vigild is active in it again, and ends. Does nothing outside of a unit, or where one
/// waits already.
void watch_restart(const std::string& runtime_dir, const std::function<int()>& clean_up);

/// "vigil.service" from what /proc/self/cgroup says; empty: in no service.
[[nodiscard]] std::string service_of(std::string_view cgroups);

}  // namespace vigil::daemon
