#include "control/tasks_answer.hpp"

#include <algorithm>
#include <utility>

namespace vigil::daemon {

TasksAnswer::TasksAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id,
                         std::string_view key, std::size_t at_once)
    : world_(world), tasks_(std::move(tasks)), id_(std::move(id)), key_(key), at_once_(at_once) {}

void TasksAnswer::begin_element(std::string& out) {
    if (!std::exchange(first_, false)) out += ',';
}

bool TasksAnswer::next(std::string& out) {
    if (!std::exchange(begun_, true)) {
        auto head = protocol::Message::result(out, id_);
        head.body().begin_object().key(key_).begin_array();
    }
    const auto now = std::chrono::steady_clock::now();
    const std::size_t end = std::min(tasks_.size(), at_ + at_once_);
    for (; at_ < end; ++at_)
        if (const auto report = world_.supervisor.report(tasks_[at_], now)) write(out, *report, now);
    if (at_ < tasks_.size()) return true;
    // Closes what the head opened: the array, the result and the message.
    out += "]}}\n";
    return false;
}

}  // namespace vigil::daemon
