// Layer core. The state machine of one task: what each event means in each state.
//
// task_table.cpp holds every (state, event) pair by name; the handlers named there are in task_orders.cpp
// (what an operator wants), task_reload.cpp (a changed configuration) and task_process.cpp (what the process
// does, and deadlines). Only Task::enter changes the state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/effect.hpp"
#include "core/event.hpp"
#include "core/record.hpp"
#include "core/report.hpp"
#include "core/spec.hpp"
#include "core/state.hpp"

namespace vigil::core {

/// What a task is given for one step.
struct Turn {
    TimePoint now;                 ///< supervised time: deadlines are made of it
    TimePoint clock;               ///< the owner's time: only to be shown
    bool may_start;                ///< one more task may be `starting`
    std::uint64_t& announcements;  ///< so far
    std::mt19937_64& random;
    std::vector<Effect>& effects;
};

namespace event {
/// next_due() has passed.
struct DeadlinePassed {};
/// The task was waiting to start, and may now.
struct TurnCame {};
/// The task was made from a record, and is to go on.
struct TakenOver {
    const TaskRecord& record;
    Adoption how;
    Duration away;  ///< the owner's time minus supervised time
};
}  // namespace event

/// SIGKILL is asked for again after this long, for as long as something of the tree is left.
inline constexpr Duration kKillAgainAfter = std::chrono::seconds(5);
/// What lives on for this long after the first SIGKILL (it waits in the kernel for a device, or we may not
/// signal it) no longer holds up a shutdown.
inline constexpr Duration kUnkillableAfter = std::chrono::seconds(15);

class Task {
  public:
    /// Enters `created` and announces it; nothing starts before an event::Start. `last_generation`: the last
    /// one that was ever used under this TaskId.
    Task(TaskId id, SpecPtr spec, Generation last_generation, Turn& turn);
    /// As a daemon before left it. Announces nothing and waits for nothing before an event::TakenOver.
    /// `away`: the owner's time minus supervised time.
    Task(TaskId id, SpecPtr spec, const TaskRecord& record, Duration away);

    /// `E` is an alternative of Event, DeadlinePassed, TurnCame or TakenOver.
    template <typename E>
    void handle(E event, Turn& turn);
    void handle(Event event, Turn& turn);

    /// When DeadlinePassed is wanted; kNever: no deadline runs.
    [[nodiscard]] TimePoint next_due() const noexcept;

    /// What its supervisor counts.
    struct Standing {
        StateName state{};
        bool waiting_turn = false;
        bool takes_turn = false;     ///< `starting` in a way that max_starting bounds
        bool has_process = false;    ///< its tree is not known to be empty
        bool unkillable = false;     ///< and SIGKILL has not emptied it for long
        bool dead_unwanted = false;  ///< dead, and not by an operator
        bool removed = false;        ///< nothing is left of it; it is to be destroyed
    };
    [[nodiscard]] Standing standing() const noexcept;
    [[nodiscard]] TaskReport report(TimePoint now, TimePoint clock) const;
    /// `away`: the owner's time minus supervised time. `now`, supervised, matters to a paused task: its
    /// deadlines are written as if it went on then.
    [[nodiscard]] TaskRecord record(Duration away, TimePoint now) const;

    [[nodiscard]] Generation generation() const noexcept { return generation_; }
    [[nodiscard]] const std::string& name() const noexcept { return spec_->name; }
    [[nodiscard]] const SpecPtr& spec() const noexcept { return spec_; }

  private:
    template <typename E>
    using Handler = void (Task::*)(E&, Turn&);
    template <typename E>
    struct Row;
    template <typename E>
    struct Cells;

    // Cells in which nothing is to be done, each by its reason.
    template <typename E>
    void done_already(E&, Turn&) {}
    template <typename E>
    void no_process(E&, Turn&) {}
    /// Spawned and SpawnFailed answer one Spawn, once.
    template <typename E>
    void answered_already(E&, Turn&) {}
    /// A command that stops a run is run in `stopping` only.
    template <typename E>
    void not_stopping(E&, Turn&) {}
    template <typename E>
    void no_deadline(E&, Turn&) {}
    template <typename E>
    void not_waiting(E&, Turn&) {}

    // Orders: task_orders.cpp.
    template <typename E>
    void start(E& order, Turn& turn);
    template <typename E>
    void start_after_stop(E& order, Turn& turn);
    void restart_run(event::Restart& order, Turn& turn);
    void restart_after_stop(event::Restart& order, Turn& turn);
    void end_idle(event::Stop& order, Turn& turn);
    void end_idle(event::Kill& order, Turn& turn);
    void end_idle(event::Remove& order, Turn& turn);
    template <typename E>
    void end_run(E& order, Turn& turn);
    template <typename E>
    void end_sooner(E& order, Turn& turn);
    void pause(event::Pause& order, Turn& turn);
    void resume(event::Resume& order, Turn& turn);

    // A changed configuration: task_reload.cpp.
    void respec_created(event::NewSpec& order, Turn& turn);
    void respec_run(event::NewSpec& order, Turn& turn);
    void respec_stopping(event::NewSpec& order, Turn& turn);
    void respec_failed(event::NewSpec& order, Turn& turn);
    void respec_idle(event::NewSpec& order, Turn& turn);

    // What the process does: task_process.cpp.
    void came_up(event::Spawned& event, Turn& turn);
    void came_up_late(event::Spawned& event, Turn& turn);
    void not_made(event::SpawnFailed& event, Turn& turn);
    void not_made_late(event::SpawnFailed& event, Turn& turn);
    void main_ended(event::Exited& event, Turn& turn);
    void main_ended_stopping(event::Exited& event, Turn& turn);
    void stop_command_ended(event::StopCommandEnded& event, Turn& turn);
    void tree_vanished(event::TreeEmpty& event, Turn& turn);
    void tree_emptied(event::TreeEmpty& event, Turn& turn);
    void notified_starting(event::Notified& event, Turn& turn);
    void notified_healthy(event::Notified& event, Turn& turn);
    void notified_stopping(event::Notified& event, Turn& turn);

    // Deadlines: task_process.cpp.
    void ready_overdue(event::DeadlinePassed& event, Turn& turn);
    void beat_overdue(event::DeadlinePassed& event, Turn& turn);
    void kill_overdue(event::DeadlinePassed& event, Turn& turn);
    void restart_due(event::DeadlinePassed& event, Turn& turn);
    void start_in_turn(event::TurnCame& event, Turn& turn);

    // Going on from a record: task_record.cpp.
    void forget_shutdown();
    void go_on_idle(event::TakenOver& event, Turn& turn);
    void go_on_starting(event::TakenOver& event, Turn& turn);
    void go_on_healthy(event::TakenOver& event, Turn& turn);
    void go_on_stopping(event::TakenOver& event, Turn& turn);
    void say_taken_over(const event::TakenOver& event, Turn& turn);
    void pause_again(const event::TakenOver& event, Turn& turn);
    [[nodiscard]] static TimePoint state_due(const event::TakenOver& event) noexcept;

    // Changes of state: task.cpp. The first is the only one that assigns state_, and announces it.
    void enter(State next, Cause why, Turn& turn);
    void leave(Cause why, Turn& turn);
    void announce(std::optional<StateName> from, std::optional<StateName> to, Generation before, Turn& turn);
    void start_or_wait(Cause why, unsigned host_faults, Turn& turn);
    void become_healthy(Turn& turn);
    void begin_stopping(Cause why, bool ordered, Turn& turn);
    void tree_gone(Turn& turn);
    void judge_end_of_run(Cause why, const std::optional<ExitStatus>& ended, Turn& turn);

    // Steps within a state: task.cpp.
    void ask_to_end(int signal, StopTarget to, Turn& turn);
    void ask_by_rule(Turn& turn);
    void send(int signal, effect::SignalTarget to, Turn& turn);
    void kill_tree(Turn& turn);
    void thaw(Turn& turn);
    void settle_stability(TimePoint now) noexcept;

    // Parts of handlers, beside them.
    void end_by_order(Cause by, bool now, Turn& turn);
    /// Gives the spec that held before.
    SpecPtr take_spec(event::NewSpec& order);
    void move_run_deadlines(const TaskSpec& before, TimePoint now);
    void take_notes(event::Notified& event, const Turn& turn);
    void heed(bool trigger, bool stopping, Turn& turn);
    void fail_by_trigger(Turn& turn);
    void note_exit(const ExitStatus& status, const std::optional<ResourceUse>& usage, const Turn& turn);

    [[nodiscard]] const Run* run() const noexcept;
    [[nodiscard]] Run* run() noexcept { return const_cast<Run*>(static_cast<const Task*>(this)->run()); }
    [[nodiscard]] state::Stopping& stopping() { return std::get<state::Stopping>(state_); }
    /// The time that deadlines of the run are made of: it stands still while the task is paused.
    [[nodiscard]] TimePoint run_time(TimePoint now) const noexcept { return paused_since_.value_or(now); }
    [[nodiscard]] Duration silence_allowed() const noexcept;
    [[nodiscard]] bool needs_turn() const noexcept { return spec_->ready.on != ReadyOn::exec; }

    /// What the run of now has told; forgotten at the next start.
    struct Notes {
        std::string status;
        std::optional<int> error;
        std::optional<int> exit_status;
        std::optional<TimePoint> last_beat;         ///< in the owner's time
        std::optional<Duration> heartbeat_timeout;  ///< WATCHDOG_USEC=
        /// The run was taken over: whether it has beaten before is not known.
        bool taken_over = false;
        bool triggered = false;  ///< WATCHDOG=trigger while it was paused; acted upon when it is resumed
    };

    SpecPtr spec_;
    TaskId id_;
    Desired desired_;
    bool waiting_turn_ = false;
    bool removed_ = false;
    unsigned attempts_ = 0;
    Generation generation_;   ///< of the present or last run
    std::uint64_t runs_ = 0;  ///< spawns asked for
    std::uint64_t last_change_ = 0;
    State state_;
    Cause cause_;  ///< why it is in this state
    std::optional<TimePoint> paused_since_;
    Notes notes_;
    std::unique_ptr<const LastExit> last_exit_;  ///< apart: of most tasks no run has ended
};

}  // namespace vigil::core
