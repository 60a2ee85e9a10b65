// Layer core. Every decision of vigil: (event, now) -> effects. No clock, no input or output, no threads.
//
// The owner feeds events and time, carries out the effects in order and sleeps until next_deadline(). Time
// inside is *supervised* time: it stands still while the owner was away (stopped, starved, suspended), so that
// every deadline moves by as much as it was away and no task dies for the supervisor's absence.
//
// A turn of the owner:  wake(now) -> handle(...) for everything that is queued -> judge(now) -> take_effects().
// Not thread-safe; one owner, one thread.
#pragma once

#include <cstdint>
#include <memory>
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
#include "core/spec.hpp"
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

/// An owner that wakes later than this after a deadline was away; less is the ordinary lateness of a timer.
inline constexpr Duration kAwayThreshold = std::chrono::milliseconds(20);

/// What `status` tells of one task at one moment. Ages are relative to the time given to report().
struct TaskReport {
    TaskId id{};
    std::string_view name;
    StateName state{};
    bool paused = false;
    Desired desired{};
    bool waiting_turn = false;  ///< would start, but max_starting others are starting
    const Cause* cause = nullptr;
    pid_t pid = 0;  ///< 0: no process
    Generation generation{};
    unsigned attempts = 0;
    std::optional<unsigned> max_attempts;
    std::uint64_t restarts_total = 0;
    std::optional<TimePoint> started_at;  ///< of the present run, in the owner's time
    std::optional<Duration> uptime;
    std::optional<Duration> last_heartbeat_age;
    std::optional<Duration> heartbeat_timeout;
    std::optional<Duration> next_start_in;
    std::optional<Duration> kill_in;  ///< until SIGKILL, while stopping
    std::string_view status_text;
    std::optional<int> notified_errno;
    std::optional<LastExit> last_exit;
    const SpecPtr* spec = nullptr;
};

class Supervisor {
  public:
    explicit Supervisor(SupervisorRules rules);

    /// Adds a task in `created`; with autostart it is started at once or when its turn comes. Refused for a name
    /// that exists, one that is being removed included, and during a shutdown.
    enum class AddError : std::uint8_t { already_exists, shutting_down };
    [[nodiscard]] Result<TaskId, AddError> add(SpecPtr spec, TimePoint now);

    /// The owner came back from its sleep. Tells supervised time how long it was away.
    void wake(TimePoint now);
    /// An event for a task. A task that is gone or an old generation: no effect.
    void handle(TaskId task, Event event, TimePoint now);
    /// Acts on every deadline that has passed, and on max_dead_fraction: when more than that fraction of tasks is
    /// dead and not by an operator, everything is stopped and Finished carries exit code 70. To be called only
    /// after all queued events were handled.
    void judge(TimePoint now);

    /// Stops everything; Finished{exit_code} follows when nothing is left. Nothing starts any more, whatever is
    /// asked. Asked again with `now_kill`, everything left gets SIGKILL. Never cancelled.
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
    /// Nothing for an id that names no task any more.
    [[nodiscard]] std::optional<TaskReport> report(TaskId task, TimePoint now) const;
    /// Number of tasks in each state, by StateName.
    [[nodiscard]] std::vector<std::size_t> count_by_state() const;

  private:
    // To be completed by the implementation.
};

}  // namespace vigil::core
