#include "control/logs_answer.hpp"

#include <utility>

#include "protocol/task_logs.hpp"

namespace vigil::daemon {
namespace {

/// About 150 bytes each.
constexpr std::size_t kTasksPerPiece = 64;

}  // namespace

LogsAnswer::LogsAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id)
    : TasksAnswer(world, std::move(tasks), std::move(id), "logs", kTasksPerPiece) {}

void LogsAnswer::write(std::string& out, const core::TaskReport& report, core::TimePoint) {
    for (const protocol::LogPlace& place : world().logs_of(report)) {
        begin_element(out);
        json::Writer one(out);
        protocol::write_log_place(one, place);
    }
}

}  // namespace vigil::daemon
