#include "core/supervisor.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace vigil::core {
namespace {

/// What core itself orders when too many tasks are dead.
constexpr int kTooManyDeadExitCode = 70;

/// A shutdown is never cancelled, and a paused task would hold it up.
bool barred_by_shutdown(const Event& event) noexcept {
    return std::holds_alternative<event::Start>(event) || std::holds_alternative<event::Restart>(event) ||
           std::holds_alternative<event::Pause>(event) || std::holds_alternative<event::NewSpec>(event);
}

/// Whether nothing is said that a record would tell of; of deadlines and turns nothing is said at all.
bool is_plain_beat(const Event& event) noexcept {
    const auto* message = std::get_if<event::Notified>(&event);
    return message != nullptr && !message->ready && !message->trigger && !message->stopping &&
           !message->watchdog && !message->main_pid && !message->status && !message->extend_timeout;
}
template <typename E>
bool is_plain_beat(const E&) noexcept {
    return false;
}

}  // namespace

Supervisor::Supervisor(SupervisorRules rules) : rules_(rules), random_(rules.seed) {
    rules_.max_starting = std::max(rules_.max_starting, 1U);
}

Result<TaskId, Supervisor::AddError> Supervisor::place_for(const TaskSpec& spec) {
    if (shutdown_) return Failure{AddError::shutting_down};
    if (by_name_.contains(spec.name)) return Failure{AddError::already_exists};
    if (free_.empty()) {
        slots_.emplace_back();
        free_.push_back(TaskId{static_cast<std::uint32_t>(slots_.size() - 1)});
    }
    const TaskId id = free_.back();
    free_.pop_back();
    return id;
}

Result<TaskId, Supervisor::AddError> Supervisor::add(SpecPtr spec, TimePoint now) {
    wake(now);
    const auto id = place_for(*spec);
    if (!id) return id;
    const bool autostart = spec->autostart;
    Slot& slot = slots_[static_cast<std::size_t>(*id)];
    Turn turn = turn_at(now);
    slot.task.emplace(*id, std::move(spec), slot.last_generation, turn);
    by_name_.emplace(slot.task->name(), *id);
    in_order_.clear();
    recount(std::nullopt, slot.task->standing());
    note_change(*id);
    if (autostart) step(*id, Event{event::Start{}}, now);
    return id;
}

Result<TaskId, Supervisor::AddError> Supervisor::adopt(SpecPtr spec, const TaskRecord& record, TimePoint now,
                                                       Adoption how) {
    const auto id = place_for(*spec);
    if (!id) return id;
    Slot& slot = slots_[static_cast<std::size_t>(*id)];
    slot.task.emplace(*id, std::move(spec), record, away_);
    by_name_.emplace(slot.task->name(), *id);
    in_order_.clear();
    recount(std::nullopt, slot.task->standing());
    step(*id, event::TakenOver{record, how, away_}, now);
    return id;
}

void Supervisor::set_rules(unsigned max_starting, std::optional<double> max_dead_fraction) noexcept {
    rules_.max_starting = std::max(max_starting, 1U);
    rules_.max_dead_fraction = max_dead_fraction;
}

void Supervisor::wake(TimePoint now) {
    const TimePoint due = deadlines_.next();
    if (due == kNever) return;
    // Seen since then, it has put judgement off and was there all the time.
    const Duration late = (now - away_) - std::max(due, seen_);
    if (late > kAwayThreshold) {
        const Duration asleep_before = std::max(due - seen_, Duration::zero());
        away_ += late + std::min({late, kAwayGrace, asleep_before});
    }
    (void)supervised(now);
}

void Supervisor::handle(TaskId id, Event event, TimePoint now) {
    wake(now);
    if (lookup(id) == nullptr) return;
    if (shutdown_ && barred_by_shutdown(event)) return;
    if (auto* order = std::get_if<event::NewSpec>(&event)) {
        give_spec(id, std::move(*order), now);
    } else {
        step(id, std::move(event), now);
    }
    serve_queue(now);
    finish_when_done();
}

/// The key of by_name_ lies in the task's spec, so it has to move with it.
void Supervisor::give_spec(TaskId id, event::NewSpec order, TimePoint now) {
    const Task& task = *lookup(id);
    VIGIL_CHECK(order.spec != nullptr && order.spec->name == task.name(), "a spec went to another task");
    auto entry = by_name_.extract(task.name());
    step(id, Event{std::move(order)}, now);
    entry.key() = task.name();
    by_name_.insert(std::move(entry));
}

void Supervisor::judge(TimePoint now) {
    const TimePoint supervised_now = supervised(now);
    for (std::size_t left = kMostJudged; left > 0 && deadlines_.next() <= supervised_now; --left) {
        const TaskId id = deadlines_.first();
        const TimePoint due = lookup(id)->next_due();
        // The entry stood for a deadline that a heartbeat has moved since.
        if (due > supervised_now) {
            deadlines_.set(id, due);
        } else {
            step(id, event::DeadlinePassed{}, now);
        }
    }
    serve_queue(now);
    judge_dead_fraction(now);
    finish_when_done();
}

void Supervisor::judge_dead_fraction(TimePoint now) {
    if (!rules_.max_dead_fraction || shutdown_ || size() == 0) return;
    const double fraction = static_cast<double>(dead_unwanted_) / static_cast<double>(size());
    if (fraction > *rules_.max_dead_fraction) shut_down(kTooManyDeadExitCode, false, now);
}

void Supervisor::shut_down(int exit_code, bool now_kill, TimePoint now) {
    wake(now);
    if (!shutdown_) shutdown_ = exit_code;
    for (std::size_t index = 0; index < slots_.size(); ++index) {
        if (!slots_[index].task) continue;
        const TaskId id{static_cast<std::uint32_t>(index)};
        step(id, Event{event::Stop{{cause::Shutdown{}}, now_kill}}, now);
    }
    finish_when_done();
}

void Supervisor::finish_when_done() {
    if (!shutdown_ || finished_ || with_process_ > unkillable_) return;
    finished_ = true;
    effects_.emplace_back(effect::Finished{*shutdown_, unkillable_});
}

std::vector<Effect> Supervisor::take_effects() {
    return std::exchange(effects_, {});
}

std::vector<TaskId> Supervisor::take_changed() {
    for (const TaskId id : changed_) slots_[static_cast<std::size_t>(id)].changed = false;
    return std::exchange(changed_, {});
}

void Supervisor::change_all(TimePoint now) {
    wake(now);
    (void)supervised(now);
    for (std::size_t index = 0; index < slots_.size(); ++index)
        if (slots_[index].task) note_change(TaskId{static_cast<std::uint32_t>(index)});
}

TimePoint Supervisor::next_deadline() const noexcept {
    return add_saturating(deadlines_.next(), away_);
}

template <typename E>
void Supervisor::step(TaskId id, E event, TimePoint now) {
    Task* const found = lookup(id);
    VIGIL_CHECK(found != nullptr, "a deadline or a turn to start outlived its task");
    Task& task = *found;
    const Task::Standing before = task.standing();
    Turn turn = turn_at(now);
    const bool plain_beat = is_plain_beat(event);
    task.handle(std::move(event), turn);
    const Task::Standing after = task.standing();
    recount(before, after);
    if (before.waiting_turn && !after.waiting_turn) waiting_.remove(id);
    if (after.waiting_turn && !before.waiting_turn) waiting_.push(id);
    // A heartbeat on its own moves a deadline that the next daemon makes anew, and there are many of them.
    // Before a task is healthy it may be the sign of life that is awaited.
    if (!plain_beat || before.state != StateName::healthy || after.state != before.state) note_change(id);
    if (after.removed) return forget(id);
    reschedule(id, task, before.state == after.state);
}

void Supervisor::note_change(TaskId id) {
    bool& changed = slots_[static_cast<std::size_t>(id)].changed;
    if (!std::exchange(changed, true)) changed_.push_back(id);
}

Turn Supervisor::turn_at(TimePoint now) {
    const TimePoint supervised_now = supervised(now);
    return {supervised_now, now, waiting_.empty() && turn_is_free(), announcements_, random_, effects_};
}

void Supervisor::recount(const std::optional<Task::Standing>& before, const Task::Standing& after) noexcept {
    const Task::Standing was = before.value_or(Task::Standing{});
    const auto adjust = [](std::size_t& count, bool counted, bool counts) {
        if (counted) --count;
        if (counts) ++count;
    };
    const bool stays = !after.removed;
    adjust(in_state_[static_cast<std::size_t>(was.state)], before.has_value(), false);
    adjust(in_state_[static_cast<std::size_t>(after.state)], false, stays);
    adjust(starting_, was.takes_turn, stays && after.takes_turn);
    adjust(with_process_, was.has_process, stays && after.has_process);
    adjust(unkillable_, was.unkillable, stays && after.unkillable);
    adjust(dead_unwanted_, was.dead_unwanted, stays && after.dead_unwanted);
}

/// A deadline that only moved away within a state, as with each heartbeat, is left for judge() to find.
void Supervisor::reschedule(TaskId id, const Task& task, bool same_state) {
    const TimePoint due = task.next_due();
    const TimePoint queued = deadlines_.due(id);
    const bool only_moved_away = same_state && due != kNever && queued <= due;
    if (!only_moved_away) deadlines_.set(id, due);
}

void Supervisor::forget(TaskId id) {
    Slot& slot = slots_[static_cast<std::size_t>(id)];
    deadlines_.set(id, kNever);
    by_name_.erase(slot.task->name());
    in_order_.clear();
    slot.last_generation = slot.task->generation();
    slot.task.reset();
    free_.push_back(id);
}

void Supervisor::serve_queue(TimePoint now) {
    while (!waiting_.empty() && turn_is_free()) {
        const TaskId id = waiting_.front();
        step(id, event::TurnCame{}, now);
    }
}

TimePoint Supervisor::supervised(TimePoint now) {
    seen_ = std::max(seen_, now - away_);
    return now - away_;
}

Task* Supervisor::lookup(TaskId task) noexcept {
    return const_cast<Task*>(std::as_const(*this).lookup(task));
}

const Task* Supervisor::lookup(TaskId task) const noexcept {
    const auto index = static_cast<std::size_t>(task);
    if (index >= slots_.size() || !slots_[index].task) return nullptr;
    return &*slots_[index].task;
}

std::optional<TaskId> Supervisor::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return std::nullopt;
    return found->second;
}

std::vector<TaskId> Supervisor::ids_by_name() const {
    if (in_order_.empty() && !by_name_.empty()) {
        std::vector<std::pair<std::string_view, TaskId>> named(by_name_.begin(), by_name_.end());
        std::sort(named.begin(), named.end());
        in_order_.reserve(named.size());
        for (const auto& [name, id] : named) in_order_.push_back(id);
    }
    return in_order_;
}

std::optional<TaskRecord> Supervisor::record(TaskId task) const {
    const Task* found = lookup(task);
    if (found == nullptr) return std::nullopt;
    return found->record(away_, seen_);
}

const SpecPtr* Supervisor::spec(TaskId task) const {
    const Task* found = lookup(task);
    return found == nullptr ? nullptr : &found->spec();
}

std::optional<TaskReport> Supervisor::report(TaskId task, TimePoint now) const {
    const Task* found = lookup(task);
    if (found == nullptr) return std::nullopt;
    return found->report(now - away_, now);
}

std::vector<std::size_t> Supervisor::count_by_state() const {
    return {in_state_.begin(), in_state_.end()};
}

}  // namespace vigil::core
