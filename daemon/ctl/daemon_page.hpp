// vigilctl. The daemon's own status as a page for people. Text that came from the daemon is escaped here.
#pragma once

#include <string>

#include "protocol/daemon_status.hpp"

namespace vigil::ctl {

[[nodiscard]] std::string render_daemon(const protocol::DaemonStatus& status);

}  // namespace vigil::ctl
