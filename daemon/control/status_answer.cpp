#include "control/status_answer.hpp"

#include <algorithm>
#include <utility>

#include "protocol/task_status.hpp"

namespace vigil::daemon {
namespace {

/// About 600 bytes each; with details, which ask the kernel, some 50 us each.
constexpr std::size_t kTasksPerPiece = 16;

}  // namespace

StatusAnswer::StatusAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id,
                           Options options)
    : world_(world), tasks_(std::move(tasks)), id_(std::move(id)), options_(options) {}

/// Whether anything is wanted that the report does not have.
bool StatusAnswer::looks() const noexcept {
    using F = protocol::StatusField;
    return options_.fields.has(F::output) || options_.fields.has(F::resources) ||
           options_.fields.has(F::last_exit);
}

bool StatusAnswer::next(std::string& out) {
    if (!std::exchange(begun_, true)) {
        auto head = protocol::Message::result(out, id_);
        head.body().begin_object().key("tasks").begin_array();
    }
    const protocol::ClockReading clock{.steady = std::chrono::steady_clock::now(),
                                       .wall = std::chrono::system_clock::now()};
    const std::size_t end = std::min(tasks_.size(), at_ + kTasksPerPiece);
    for (; at_ < end; ++at_) {
        const auto report = world_.supervisor.report(tasks_[at_], clock.steady);
        if (!report) continue;
        if (!std::exchange(first_, false)) out += ',';
        protocol::TaskFacts facts;
        if (looks()) facts = world_.look_at(*report, options_.details);
        if (options_.spec) {
            json::Writer words(facts.spec);
            config::describe(words, **report->spec, options_.env);
        }
        json::Writer task(out);
        protocol::write_task_status(task, *report, clock, facts, options_.fields);
    }
    if (at_ < tasks_.size()) return true;
    // Closes what the head opened: the array of tasks, the result and the message.
    out += "]}}\n";
    return false;
}

}  // namespace vigil::daemon
