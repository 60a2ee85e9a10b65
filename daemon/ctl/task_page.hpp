// vigilctl. Everything about one task on a page.
#pragma once

#include <string>

#include "protocol/task_status.hpp"

namespace vigil::ctl {

/// Labelled lines, then the effective specification as JSON where the status has one.
[[nodiscard]] std::string render_page(const protocol::TaskStatus& task, bool colours);

}  // namespace vigil::ctl
