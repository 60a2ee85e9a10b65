// Crashes: what was written down, and a new supervisor that goes on from it.
#include <utility>

#include "core/found_run.hpp"
#include "property/witness.hpp"

namespace vigil::core::simulation {

using Phase = Process::Phase;

void Witness::may_crash() {
    if (!crash_after_ || (*crash_after_)-- > 0) return;
    crash_after_.reset();
    throw Crash{};
}

void Witness::recover(TimePoint now) {
    crash_after_.reset();
    auto found = world_.change_owner();
    const auto written = std::exchange(records_, {});
    known_.clear();
    endings_.clear();
    adopted_.clear();
    ++rules_.seed;
    supervisor_ = Supervisor(rules_);
    News news;
    for (const auto& [before, entry] : written) adopt(entry, found, before, now, news);
    for (const auto& [key, process] : found)
        require(!process.alive(), "nothing lives that is not written down", key.first);
    for (auto& [task, event] : news) supervisor_.handle(task, std::move(event), now);
}

void Witness::adopt(const Written& written, std::map<World::Key, Process>& found, TaskId before,
                    TimePoint now, News& news) {
    const TaskRecord& record = written.record;
    const auto task = supervisor_.adopt(written.spec, record, now);
    require(task.ok(), "whatever is written is taken over", before);
    if (!task) return;
    adopted_[*task] = {.state = std::nullopt,
                       .generation = record.generation,
                       .attempts = record.attempts,
                       // Of a task in `created` nobody has ordered anything yet.
                       .may_start = record.desired == Desired::up || record.state == StateName::created,
                       .ordered_up_to = record.generation,
                       .end_is_ordered = record.ordered,
                       .spec = written.spec,
                       .respecced_at = {}};
    if (!has_run(record.state)) return;
    FoundRun run;
    auto process = found.extract({before, record.generation});
    if (process && process.mapped().phase != Phase::asked) {
        const Phase phase = process.mapped().phase;
        run.kind = phase == Phase::running ? FoundRun::Kind::running
                   : phase == Phase::left  ? FoundRun::Kind::main_ended
                                           : FoundRun::Kind::ended;
        run.pid = process.mapped().pid;
    }
    Process taken;
    if (process) taken = std::move(process.mapped());
    taken.generation = record.generation;
    taken.spec = written.spec;
    if (run.kind == FoundRun::Kind::never_made || run.pid == 0) {
        taken.phase = Phase::gone;
        run.kind = FoundRun::Kind::never_made;
    }
    world_.take_in(*task, std::move(taken));
    for (Event& event : news_of(record, run)) news.emplace_back(*task, std::move(event));
}

}  // namespace vigil::core::simulation
