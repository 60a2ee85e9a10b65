#include "core/found_run.hpp"

#include <cerrno>
#include <utility>

namespace vigil::core {

std::vector<Event> news_of(const TaskRecord& record, const FoundRun& found) {
    using Kind = FoundRun::Kind;
    std::vector<Event> news;
    if (!has_run(record.state)) return news;
    const Generation run = record.generation;
    // A daemon that was killed while it wrote down the next run has taken the pid of this one away already.
    const bool was_made = found.kind != Kind::never_made || record.main_pid != 0;
    if (!was_made) {
        // No fault of the task: it is tried again, and no attempt is spent.
        news.emplace_back(event::SpawnFailed{
            run, {SpawnStage::clone, EAGAIN, "the daemon ended before it had made the process"}});
        return news;
    }
    if (record.main_pid == 0) news.emplace_back(event::Spawned{run, found.pid});
    if (found.kind == Kind::running) return news;
    const bool empty = found.kind != Kind::main_ended;
    if (!record.ended) {
        news.emplace_back(event::Exited{run, found.status, empty});
    } else if (empty) {
        news.emplace_back(event::TreeEmpty{run});
    }
    return news;
}

TaskRecord left_by_shutdown(TaskRecord record) {
    record.desired = Desired::stopped;
    record.state = StateName::stopping;
    record.why = record.cause = {cause::Shutdown{}};
    record.attempts = 0;
    record.paused = false;
    record.asked = record.ordered = record.forced = record.killed = true;
    return record;
}

bool is_left_by_shutdown(const TaskRecord& record) noexcept {
    return record.state == StateName::stopping && record.ordered && record.killed &&
           std::holds_alternative<cause::Shutdown>(record.why.kind);
}

TaskRecord without_run(TaskRecord record) {
    if (!has_run(record.state)) return record;
    TaskRecord after;
    after.name = std::move(record.name);
    after.desired = record.desired;
    after.generation = record.generation;
    after.runs = record.runs;
    after.attempts = record.attempts;
    after.last_exit = record.last_exit;
    switch (record.desired) {
        case Desired::up: after.state = StateName::created; return after;
        case Desired::dead: after.state = StateName::dead; break;
        case Desired::stopped:
        case Desired::removed: after.state = StateName::stopped; break;
    }
    after.cause = std::move(record.state == StateName::stopping ? record.why : record.cause);
    return after;
}

}  // namespace vigil::core
