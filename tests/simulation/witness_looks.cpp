// After every turn: what is counted, written and alive is one thing.
#include <tuple>
#include <utility>

#include "simulation/witness.hpp"

namespace vigil::core::simulation {
namespace {

/// What a record says, in a form that compares. Its texts apart: there may be too much of them.
auto essence(const TaskRecord& record) {
    return std::tie(record.name, record.state, record.desired, record.generation, record.runs,
                    record.attempts, record.paused, record.started_at, record.main_pid, record.said_ready,
                    record.stable_due, record.state_due, record.host_faults, record.asked, record.next_step,
                    record.ordered, record.forced, record.killed, record.ended, record.heartbeat_timeout);
}

/// The same of one that was not written since, while the owner's absence has moved every deadline.
auto essence_but_times(const TaskRecord& record) {
    return std::tie(record.name, record.state, record.desired, record.generation, record.runs, record.paused,
                    record.main_pid, record.said_ready, record.host_faults, record.asked, record.next_step,
                    record.ordered, record.forced, record.killed, record.ended, record.status_text,
                    record.heartbeat_timeout);
}

bool same_causes(const TaskRecord& a, const TaskRecord& b) {
    return a.cause.kind.index() == b.cause.kind.index() && a.why.kind.index() == b.why.kind.index();
}

/// That a task has become stable is not written for itself: it follows from what was written before.
bool is_up_to_date(const TaskRecord& written, const TaskRecord& present, TimePoint now) {
    const bool became_stable =
        written.state == StateName::healthy && written.stable_due <= now && present.attempts == 0;
    return essence_but_times(written) == essence_but_times(present) && same_causes(written, present) &&
           (became_stable || written.attempts == present.attempts);
}

}  // namespace

void Witness::check_record(const Book::Entry& entry) {
    require(essence(entry.record) == essence(entry.given) && same_causes(entry.record, entry.given),
            "what is read after a crash is what was written", entry.before);
}

void Witness::look(TimePoint now) {
    std::size_t starting = 0;
    bool waits = false;
    std::vector<std::size_t> counts(std::variant_size_v<State>);
    for (auto& [id, task] : known_) look_at(id, now, starting, waits, counts);
    Promises& promises = parts_.promises;
    promises.require(known_.size() == parts_.supervisor.size(),
                     "a task is there from its addition to its removal");
    promises.require(counts == parts_.supervisor.count_by_state(), "counts are what counting finds");
    // Where there may be fewer of them from now on, those that start are not stopped for it.
    promises.require(starting <= std::max<std::size_t>(rules_.max_starting, last_starting_),
                     "no more tasks are starting than may be");
    promises.require(!waits || starting >= rules_.max_starting,
                     "a task that waits has its turn when one is free");
    last_starting_ = starting;
    for (auto& [key, process] : parts_.world.processes()) look_at_ending(key, process);
    parts_.clients.look();
    away_seen_ = away_;
    passed_ = {};
    looked_ = now;
}

void Witness::look_at_ending(const World::Key& key, Process& process) {
    process.untold = false;
    const auto known = known_.find(key.first);
    require(known != known_.end() && known->second.generation == key.second && known->second.state &&
                has_run(*known->second.state),
            "no process is ever forgotten", key.first);
    const auto ending = endings_.find(key);
    if (ending == endings_.end() || process.frozen || process.asked_for_time) return;
    if (!std::exchange(ending->second.fresh, false)) ending->second.waited += passed_;
    require(ending->second.killed || ending->second.waited <= ending->second.allowed,
            "SIGKILL is asked for when the stop time is over", key.first);
}

void Witness::look_at(TaskId id, TimePoint now, std::size_t& starting, bool& waits,
                      std::vector<std::size_t>& counts) {
    const auto found = parts_.supervisor.report(id, now);
    require(found.has_value(), "a task is there from its addition to its removal", id);
    if (!found) return;
    const TaskReport& report = *found;
    Known& task = known_[id];
    ++counts[static_cast<std::size_t>(report.state)];
    if (report.state == StateName::starting && (*report.spec)->ready.on != ReadyOn::exec) ++starting;
    waits = waits || report.waiting_turn;
    if (report.max_attempts)
        require(report.attempts <= *report.max_attempts, "attempts never exceed their maximum", id);
    const TaskRecord record = *parts_.supervisor.record(id);
    const TaskRecord* written = parts_.book.given(id);
    require(written != nullptr && is_up_to_date(*written, record, now), "what has changed is written down",
            id);
    require(task.state == report.state, "every change of state is announced", id);
    require(report.desired == task.wanted, "what was ordered last is what is desired", id);
    require(has_run(report.state) == (parts_.world.find(id, report.generation) != nullptr),
            "a state with a process has one, any other has none", id);
    require(!report.waiting_turn || report.state == StateName::created || report.state == StateName::failed,
            "only an idle task waits for its turn", id);
    require(
        report.state != StateName::failed || !report.waiting_turn || report.next_start_in == Duration::zero(),
        "a task whose turn is awaited is due", id);
    judge_times(id, task, report, record, now);
    task.touched = false;
    task.seen = Seen{.state = report.state,
                     .generation = report.generation,
                     .pid = report.pid,
                     .paused = report.paused,
                     .waiting = report.waiting_turn,
                     .killed = record.killed,
                     .step = record.next_step,
                     .attempts = report.attempts,
                     .due = record.state_due,
                     .stable_due = record.stable_due,
                     .wanted = task.wanted};
}

/// Where it is to be in the end. An end that nobody ordered may have been the last, good or bad.
bool Witness::all_reached(TimePoint now) const {
    for (const auto& [id, task] : known_) {
        const auto report = parts_.supervisor.report(id, now);
        if (!report) return false;
        const StateName state = report->state;
        const bool gave_up = state == StateName::dead && !report->cause->by_operator();
        bool reached = false;
        switch (task.wanted) {
            case Desired::up:
                reached = state == StateName::healthy || state == StateName::completed || gave_up;
                break;
            case Desired::stopped:
                reached =
                    state == StateName::stopped || (state == StateName::created && !report->waiting_turn);
                break;
            case Desired::dead: reached = state == StateName::dead; break;
            case Desired::removed: break;
        }
        if (!reached || report->paused) return false;
    }
    return true;
}

}  // namespace vigil::core::simulation
