// Crashes and upgrades: what was written down, what lives, and a new supervisor that goes on from both.
#include <utility>

#include "core/found_run.hpp"
#include "simulation/witness.hpp"

namespace vigil::core::simulation {
namespace {

using Phase = Process::Phase;

/// A shutdown was the wish of a daemon that is no more.
bool is_of_shutdown(const TaskRecord& record) {
    const Cause& why = record.state == StateName::stopping ? record.why : record.cause;
    const bool stopped = record.state == StateName::stopping || record.state == StateName::stopped;
    return stopped && std::holds_alternative<cause::Shutdown>(why.kind);
}

bool has_unread_exit(const Process& process) {
    for (const Event& event : process.news)
        if (std::holds_alternative<event::Exited>(event)) return true;
    return false;
}

}  // namespace

void Witness::recover(TimePoint now) {
    endings_.clear();
    shutting_down_ = false;
    finished_ = 0;
    take_over(Adoption::after_crash, now);
    parts_.clients.hang_up();
}

void Witness::go_on_in_place(TimePoint now) {
    const auto endings = std::exchange(endings_, {});
    take_over(Adoption::in_place, now);
    for (const auto& [key, ending] : endings)
        if (const auto id = new_ids_.find(key.first); id != new_ids_.end())
            endings_.emplace(World::Key(id->second, key.second), ending);
    parts_.clients.carry_over(new_ids_);
}

void Witness::take_over(Adoption how, TimePoint now) {
    crash_after_.reset();
    auto found = parts_.world.change_owner(how == Adoption::in_place);
    auto before = std::exchange(known_, {});
    for (auto& [task, known] : std::exchange(added_, {})) before.insert_or_assign(task, std::move(known));
    new_ids_.clear();
    last_generations_.clear();
    ++rules_.seed;
    parts_.supervisor = Supervisor(rules_);
    away_ = away_seen_ = passed_ = {};
    looked_ = called_ = now;
    parts_.world.set_supervised(now);

    News news;
    const auto entries = parts_.book.reopen();
    parts_.promises.require(parts_.book.fault().empty(), "the state table is whole whenever the daemon dies");
    for (const Book::Entry& entry : entries) {
        const auto known = before.find(entry.before);
        require(known != before.end(), "what is written is of a task that there is", entry.before);
        if (known != before.end()) adopt(entry, known->second, found, now, how, news);
    }
    for (const auto& [task, known] : before)
        require(!known.seen || new_ids_.contains(task) || known.wanted == Desired::removed,
                "no task is lost with the daemon", task);
    for (const auto& [key, process] : found)
        require(!process.alive(), "nothing lives that is not written down", key.first);
    for (auto& [task, event] : news) parts_.supervisor.handle(task, std::move(event), now);
}

/// The last order may have come too late to be written down; no other may be lost.
Desired Witness::wanted_after(const Book::Entry& entry, const Known& before) {
    const TaskRecord& record = entry.record;
    const bool of_shutdown = record.desired == Desired::stopped && is_of_shutdown(record);
    require(record.desired == before.wanted || of_shutdown || !before.seen ||
                record.desired == before.seen->wanted,
            "what was ordered outlives the daemon", entry.before);
    if (!of_shutdown) return record.desired;
    return entry.spec->autostart ? Desired::up : Desired::stopped;
}

void Witness::adopt(const Book::Entry& entry, const Known& before, Found& found, TimePoint now, Adoption how,
                    News& news) {
    check_record(entry);
    const TaskRecord& record = entry.record;
    const auto task = parts_.supervisor.adopt(entry.spec, record, now, how);
    require(task.ok(), "whatever is written is taken over", entry.before);
    if (!task) return;
    new_ids_[entry.before] = *task;
    last_generations_[*task] = record.generation;
    parts_.book.adopt(*task, entry);
    Known known{.state = std::nullopt,
                .generation = record.generation,
                .attempts = record.attempts,
                .wanted = wanted_after(entry, before),
                // Of a task in `created` nobody has ordered anything yet.
                .may_start = record.desired == Desired::up || record.state == StateName::created,
                .ordered_up_to = record.generation,
                .end_is_ordered = record.ordered,
                .spec = entry.spec,
                .respecced_at = {},
                .touched = how == Adoption::after_crash,
                .seen = before.seen};
    if (known.wanted == Desired::up) known.may_start = true;
    if (how == Adoption::in_place) known.state = before.state;
    if (known.seen) known.seen->wanted = known.wanted;
    const auto report = parts_.supervisor.report(*task, now);
    // What waits for its turn, or was stopped by a shutdown that is forgotten, may begin at once.
    const bool idle =
        record.state == StateName::created || (record.state == StateName::stopped && is_of_shutdown(record));
    const bool begins = idle && known.wanted == Desired::up && report->state == StateName::starting;
    require(begins || report->state == (idle ? StateName::created : record.state),
            "a task goes on in the state that was written", *task);
    const bool stable = record.state == StateName::healthy && record.stable_due <= now;
    require(report->attempts == (stable ? 0 : record.attempts) &&
                (begins || report->generation == record.generation),
            "attempts and generation outlive the daemon", *task);
    if (record.state == StateName::failed)
        require(parts_.supervisor.record(*task)->state_due == std::max(record.state_due, now),
                "a pending restart outlives the daemon", *task);
    known_.insert_or_assign(*task, std::move(known));
    if (has_run(record.state)) take_run(*task, entry, found, how, news);
}

void Witness::take_run(TaskId task, const Book::Entry& entry, Found& found, Adoption how, News& news) {
    const TaskRecord& record = entry.record;
    auto process = found.extract({entry.before, record.generation});
    Process taken;
    if (process) taken = std::move(process.mapped());
    require(!taken.alive() || taken.pid == entry.pid, "the table knows every process by its pid", task);
    taken.generation = record.generation;
    taken.spec = entry.spec;
    taken.sign_at = called_;
    taken.frozen_at = called_;
    if (how == Adoption::in_place && entry.pid == 0 && taken.held && record.state == StateName::starting) {
        // It was asked for and held back: it is begun now.
        taken.held = false;
        parts_.world.take_in(task, std::move(taken));
        return;
    }
    FoundRun run;
    run.pid = taken.pid;
    if (entry.pid == 0) {
        taken.phase = Phase::gone;
    } else if (how == Adoption::in_place && has_unread_exit(taken)) {
        // A child of its own that nobody has waited for: the kernel tells of it as of one that lives.
        run.kind = FoundRun::Kind::running;
    } else {
        run.kind = taken.phase == Phase::running ? FoundRun::Kind::running
                   : taken.phase == Phase::left  ? FoundRun::Kind::main_ended
                                                 : FoundRun::Kind::ended;
        if (run.kind != FoundRun::Kind::running)
            std::erase_if(taken.news,
                          [](const Event& event) { return std::holds_alternative<event::TreeEmpty>(event); });
        taken.arrived_news = std::min(taken.arrived_news, taken.news.size());
    }
    // What is frozen is thawed, unless its record says that it is paused: then it is frozen once more.
    taken.frozen = false;
    parts_.world.take_in(task, std::move(taken));
    for (Event& event : news_of(record, run)) news.emplace_back(task, std::move(event));
}

}  // namespace vigil::core::simulation
