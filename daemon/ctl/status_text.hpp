// vigilctl. A task's status in words and as a row of the table. Text that came from a task is escaped here.
#pragma once

#include <string>
#include <vector>

#include "core/state.hpp"
#include "ctl/table.hpp"
#include "protocol/task_status.hpp"

namespace vigil::ctl {

/// Why the task is where it is, and what comes next: "exit code 3; attempt 2 of 5, next start in 1.2s".
[[nodiscard]] std::string detail_of(const protocol::TaskStatus& task);
/// "120ms/2s": how long ago the last beat was, and how long it may take; "-" where no heartbeat is asked for.
[[nodiscard]] std::string heartbeat_of(const protocol::TaskStatus& task);
/// "0", or "3 (2/5)": restarts in all, and attempts of the present series of failures with their limit.
[[nodiscard]] std::string restarts_of(const protocol::TaskStatus& task);
/// "exit code 3", "killed by SEGV (core dumped)", "exit status unknown".
[[nodiscard]] std::string exit_text(const core::ExitStatus& status);
[[nodiscard]] Colour colour_of(std::string_view state);

/// The table with one row a task and, below it, summary_of.
[[nodiscard]] std::string render_statuses(const std::vector<protocol::TaskStatus>& tasks,
                                          const TableStyle& style);
/// "12 tasks: 10 healthy, 1 failed, 1 dead"; "no tasks".
[[nodiscard]] std::string summary_of(const std::vector<protocol::TaskStatus>& tasks);

}  // namespace vigil::ctl
