// vigilctl. A task's status in words and as a row of the table. Text that came from a task is escaped here.
#pragma once

#include <string>
#include <utility>
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

/// What the table is made of.
inline constexpr protocol::StatusFields kTableFields = {
    protocol::StatusField::paused,
    protocol::StatusField::waiting_turn,
    protocol::StatusField::cause,
    protocol::StatusField::pid,
    protocol::StatusField::restart_attempts,
    protocol::StatusField::max_restart_attempts,
    protocol::StatusField::restarts_total,
    protocol::StatusField::uptime_ms,
    protocol::StatusField::last_heartbeat_age_ms,
    protocol::StatusField::heartbeat_timeout_ms,
    protocol::StatusField::next_start_in_ms,
    protocol::StatusField::stop_kill_in_ms,
    protocol::StatusField::status_text,
    protocol::StatusField::output,
};

/// How many tasks are in which state.
class StateCounts {
  public:
    StateCounts();
    void add(const protocol::TaskStatus& task);
    [[nodiscard]] std::size_t total() const noexcept { return total_; }
    /// "12 tasks: 10 healthy, 1 failed, 1 dead"; "no tasks".
    [[nodiscard]] std::string summary() const;

  private:
    std::vector<std::pair<std::string, std::size_t>> counts_;
    std::size_t total_ = 0;
};

/// One row a task and, below them, how many are in which state.
class StatusTable {
  public:
    StatusTable();
    void add(const protocol::TaskStatus& task);
    [[nodiscard]] std::string render(const TableStyle& style) const;

  private:
    Table table_;
    StateCounts counts_;
};

}  // namespace vigil::ctl
