#include "control/status_answer.hpp"

#include <utility>

#include "protocol/task_status.hpp"

namespace vigil::daemon {
namespace {

/// About 600 bytes each; with details, which ask the kernel, some 50 us each.
constexpr std::size_t kTasksPerPiece = 16;

}  // namespace

StatusAnswer::StatusAnswer(const World& world, std::vector<core::TaskId> tasks, protocol::RequestId id,
                           Options options)
    : TasksAnswer(world, std::move(tasks), std::move(id), "tasks", kTasksPerPiece), options_(options) {}

/// Whether anything is wanted that the report does not have.
bool StatusAnswer::looks() const noexcept {
    using F = protocol::StatusField;
    return options_.fields.has(F::output) || options_.fields.has(F::resources) ||
           options_.fields.has(F::last_exit);
}

void StatusAnswer::write(std::string& out, const core::TaskReport& report, core::TimePoint now) {
    protocol::TaskFacts facts;
    if (looks()) facts = world().look_at(report, options_.details);
    if (options_.spec) {
        json::Writer words(facts.spec);
        config::describe(words, **report.spec, options_.env);
    }
    begin_element(out);
    json::Writer task(out);
    const protocol::ClockReading clock{.steady = now, .wall = std::chrono::system_clock::now()};
    protocol::write_task_status(task, report, clock, facts, options_.fields);
}

}  // namespace vigil::daemon
