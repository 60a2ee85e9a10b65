#include "control/logs_answer.hpp"

#include <algorithm>
#include <utility>

#include "protocol/task_logs.hpp"

namespace vigil::daemon {
namespace {

/// About 150 bytes each.
constexpr std::size_t kTasksPerPiece = 64;

}  // namespace

LogsAnswer::LogsAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id)
    : world_(world), tasks_(std::move(tasks)), id_(std::move(id)) {}

bool LogsAnswer::next(std::string& out) {
    if (!std::exchange(begun_, true)) {
        auto head = protocol::Message::result(out, id_);
        head.body().begin_object().key("logs").begin_array();
    }
    const std::size_t end = std::min(tasks_.size(), at_ + kTasksPerPiece);
    for (; at_ < end; ++at_) {
        const auto report = world_.supervisor.report(tasks_[at_], std::chrono::steady_clock::now());
        if (!report) continue;
        for (const protocol::LogPlace& place : world_.logs_of(*report)) {
            if (!std::exchange(first_, false)) out += ',';
            json::Writer one(out);
            protocol::write_log_place(one, place);
        }
    }
    if (at_ < tasks_.size()) return true;
    // Closes what the head opened: the array of logs, the result and the message.
    out += "]}}\n";
    return false;
}

}  // namespace vigil::daemon
