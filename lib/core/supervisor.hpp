// Layer core. Every decision of vigil: (event, now) -> effects. No clock, no input or output, no threads.
//
// The owner feeds events and time, carries out the effects in order and sleeps until next_deadline(). Time
// inside is *supervised* time: it stands still while the owner was away (stopped, starved, suspended), so
// that every deadline moves by as much as it was away and no task dies for the supervisor's absence.
//
// A turn of the owner:  wake(now) -> handle(...) for everything that is queued -> judge(now) ->
// take_effects(). Not thread-safe; one owner, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "core/deadline_queue.hpp"
#include "core/effect.hpp"
#include "core/event.hpp"
#include "core/record.hpp"
#include "core/report.hpp"
#include "core/spec.hpp"
#include "core/start_queue.hpp"
#include "core/task.hpp"

namespace vigil::core {

struct SupervisorRules {
    /// How many tasks whose readiness must be shown may be `starting` at once; at least 1.
    unsigned max_starting = 16;
    /// 0..1; nothing: off. See Supervisor::judge.
    std::optional<double> max_dead_fraction;
    /// Seed of the jitter.
    std::uint64_t seed = 0;
};

/// What judge() does at once: others are to have their turn in a crash of thousands.
inline constexpr std::size_t kMostJudged = 256;
/// An owner that wakes later than this after a deadline was away; less is the ordinary lateness of a timer.
inline constexpr Duration kAwayThreshold = std::chrono::milliseconds(20);
/// The most that an owner which was away is taken to have been away before its deadline; see wake().
inline constexpr Duration kAwayGrace = std::chrono::seconds(1);

class Supervisor {
  public:
    explicit Supervisor(SupervisorRules rules);

    /// Adds a task in `created`; with autostart it is started at once or when its turn comes. Refused for a
    /// name that exists, one that is being removed included, and during a shutdown.
    enum class AddError : std::uint8_t { already_exists, shutting_down };
    [[nodiscard]] Result<TaskId, AddError> add(SpecPtr spec, TimePoint now);

    /// Adds a task that goes on from where a daemon before left it, with the spec it was started with. After
    /// a crash heartbeats and readiness get their whole time anew, a stop begins anew, a pending restart
    /// stays due when it was; in place everything is as it was but for the heartbeat, which gets its whole
    /// time anew. In `starting` and `stopping` without a main_pid the owner says by Spawned or SpawnFailed
    /// whether the process was made; that a run has ended meanwhile it says by Exited, as ever (news_of()).
    /// All tasks are to be adopted before the first event is handled. Refused as add() is.
    [[nodiscard]] Result<TaskId, AddError> adopt(SpecPtr spec, const TaskRecord& record, TimePoint now,
                                                 Adoption how = Adoption::after_crash);
    /// Other bounds from now on; the seed stays. What waits for its turn is served at the next judge().
    void set_rules(unsigned max_starting, std::optional<double> max_dead_fraction) noexcept;

    /// The owner came back from its sleep. Tells supervised time how long it was away: at least since the
    /// deadline that it missed, at most since its last call. What stopped the owner may have stopped its
    /// tasks too (a frozen container, a paused virtual machine), and those need their time again before their
    /// silence means anything; so as much as it came late is granted once more, up to kAwayGrace and never
    /// past its last call. add(), handle() and shut_down() begin with it: an order may be what an owner reads
    /// first when it wakes, and a deadline that the order made would be taken for one that was slept through.
    void wake(TimePoint now);
    /// An event for a task. A task that is gone or an old generation: no effect.
    void handle(TaskId task, Event event, TimePoint now);
    /// Acts on the deadlines that have passed, kMostJudged of them at most (next_deadline() tells that more
    /// have), and on max_dead_fraction: when more than that fraction of tasks is dead and not by an operator,
    /// everything is stopped and Finished carries exit code 70. To be called only after all events were
    /// handled that were queued at `now`, which may be before the latest event.
    void judge(TimePoint now);

    /// Stops everything; Finished{exit_code} follows when nothing is left, or nothing but what SIGKILL has
    /// not ended within kUnkillableAfter. Nothing starts any more, whatever is asked. Asked again with
    /// `now_kill`, everything left gets SIGKILL. Never cancelled.
    void shut_down(int exit_code, bool now_kill, TimePoint now);
    [[nodiscard]] bool shutting_down() const noexcept { return shutdown_.has_value(); }

    /// The effects since the last call, in the order in which they are to be carried out.
    [[nodiscard]] std::vector<Effect> take_effects();
    /// When judge() is wanted next, in the owner's time; kNever: only events matter.
    [[nodiscard]] TimePoint next_deadline() const noexcept;

    [[nodiscard]] std::optional<TaskId> find(std::string_view name) const;
    /// Ids of all tasks in order of their names.
    [[nodiscard]] std::vector<TaskId> ids_by_name() const;
    [[nodiscard]] std::size_t size() const noexcept { return by_name_.size(); }
    /// The tasks whose record() may be another since the last call, those that are no more included; each
    /// once. To be written down before the effects that take_effects() gives are carried out.
    [[nodiscard]] std::vector<TaskId> take_changed();
    /// Every record may be another: deadlines move with the owner's absence and with pauses, and no record is
    /// written for that.
    void change_all(TimePoint now);
    /// Nothing for an id that names no task any more.
    [[nodiscard]] std::optional<TaskRecord> record(TaskId task) const;
    /// Null for an id that names no task any more; valid until the next call that changes the supervisor.
    [[nodiscard]] const SpecPtr* spec(TaskId task) const;
    /// Nothing for an id that names no task any more.
    [[nodiscard]] std::optional<TaskReport> report(TaskId task, TimePoint now) const;
    /// Number of tasks in each state, by StateName.
    [[nodiscard]] std::vector<std::size_t> count_by_state() const;

  private:
    struct Slot {
        std::optional<Task> task;
        Generation last_generation{};  ///< of the tasks that were here before
        bool changed = false;          ///< is in changed_
    };

    /// A place for a task of a new name.
    [[nodiscard]] Result<TaskId, AddError> place_for(const TaskSpec& spec);
    void note_change(TaskId id);
    [[nodiscard]] TimePoint supervised(TimePoint now);
    [[nodiscard]] Turn turn_at(TimePoint now);
    [[nodiscard]] Task* lookup(TaskId task) noexcept;
    [[nodiscard]] const Task* lookup(TaskId task) const noexcept;
    /// Feeds one event to one task and keeps counts, deadlines and the queue in step with what it did.
    template <typename E>
    void step(TaskId id, E event, TimePoint now);
    /// `before`: nothing for a task that is new.
    void recount(const std::optional<Task::Standing>& before, const Task::Standing& after) noexcept;
    void give_spec(TaskId id, event::NewSpec order, TimePoint now);
    void reschedule(TaskId id, const Task& task, bool same_state);
    void forget(TaskId id);
    [[nodiscard]] bool turn_is_free() const noexcept { return starting_ < rules_.max_starting; }
    void serve_queue(TimePoint now);
    void judge_dead_fraction(TimePoint now);
    void finish_when_done();

    SupervisorRules rules_;
    std::mt19937_64 random_;
    std::deque<Slot> slots_;  ///< by TaskId; a deque, since reports point into it and growth must not copy
    std::vector<TaskId> free_;
    std::unordered_map<std::string_view, TaskId> by_name_;  ///< keys are the names in the tasks' specs
    mutable std::vector<TaskId> in_order_;  ///< of their names, once somebody has asked; empty: to be made
    DeadlineQueue deadlines_;
    StartQueue waiting_;
    std::vector<Effect> effects_;
    std::vector<TaskId> changed_;
    std::uint64_t announcements_ = 0;

    std::array<std::size_t, std::variant_size_v<State>> in_state_{};
    std::size_t starting_ = 0;       ///< tasks that count against max_starting
    std::size_t with_process_ = 0;   ///< tasks whose tree is not known to be empty
    std::size_t unkillable_ = 0;     ///< those of them that SIGKILL does not end
    std::size_t dead_unwanted_ = 0;  ///< tasks dead and not by an operator

    Duration away_{};              ///< owner's time minus supervised time
    TimePoint seen_{};             ///< the latest supervised time
    std::optional<int> shutdown_;  ///< its exit code
    bool finished_ = false;
};

}  // namespace vigil::core
