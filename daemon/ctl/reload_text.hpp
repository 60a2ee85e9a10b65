// vigilctl. What a reload changes, for people.
#pragma once

#include <string>

#include "protocol/reload_report.hpp"

namespace vigil::ctl {

/// A block for each task and for the daemon, each field on a line of its own: from, to, and what it needs.
/// Last summary_of. Ends with a newline.
[[nodiscard]] std::string render_differences(const protocol::ReloadReport& report);

/// "1 added, 1 removed, 2 changed (1 by a restart), 12 unchanged"; "no differences (15 tasks)".
[[nodiscard]] std::string summary_of(const protocol::ReloadReport& report);

}  // namespace vigil::ctl
