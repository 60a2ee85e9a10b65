#include "core/found_run.hpp"

#include <cerrno>

namespace vigil::core {

std::vector<Event> news_of(const TaskRecord& record, const FoundRun& found) {
    using Kind = FoundRun::Kind;
    std::vector<Event> news;
    if (!has_run(record.state)) return news;
    const Generation run = record.generation;
    if (found.kind == Kind::never_made) {
        // No fault of the task: it is tried again, and no attempt is spent.
        news.emplace_back(event::SpawnFailed{
            run, {SpawnStage::clone, EAGAIN, "the daemon ended before it had made the process"}});
        return news;
    }
    if (record.main_pid == 0) news.emplace_back(event::Spawned{run, found.pid});
    if (found.kind == Kind::running) return news;
    const bool empty = found.kind == Kind::ended;
    if (!record.ended) {
        news.emplace_back(event::Exited{run, found.status, empty});
    } else if (empty) {
        news.emplace_back(event::TreeEmpty{run});
    }
    return news;
}

}  // namespace vigil::core
