// Layer core. The states of a task. Each holds exactly the data that has a meaning in it.
//
//   created --start--> starting --first sign of life--> healthy
//   starting, healthy --stop, kill, remove, restart, silence--> stopping --tree empty--> what follows
//   starting, healthy --main process ended, tree empty--> failed, completed or dead, as the restart rule says
//   starting, healthy --main process ended, tree not empty--> stopping (the rest of the tree is ended first)
//   failed --restart due--> starting
//
// A task has at most one process tree at any time: the next spawn is asked for only when the tree of the last
// generation is empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "core/cause.hpp"
#include "core/process_ids.hpp"
#include "core/time.hpp"

namespace vigil::core {

/// Place of a task in the supervisor. A place is used again after a removal, its generations are not, so
/// (TaskId, Generation) names one run for ever.
enum class TaskId : std::uint32_t {};
enum class Generation : std::uint64_t {};  ///< 0: never started

/// What the operator and the configuration want, whatever the task is doing at the moment.
enum class Desired : std::uint8_t { up, stopped, dead, removed };

/// One run of a task's command.
struct Run {
    Generation generation{};
    TimePoint started_at{};
    Pid main_pid = 0;  ///< 0 until the kernel gave one
};

namespace state {

struct Created {};

/// What a process said before its Spawned was read; acted upon then.
struct Early {
    bool ready = false;  ///< the sign of life that is awaited
    bool trigger = false;
    bool stopping = false;
    TimePoint ready_due = TimePoint::min();  ///< by EXTEND_TIMEOUT_USEC: readiness is not due before this
};

struct Starting {
    Run run;
    /// Counts from Spawned, since a slow spawn is not the task's fault; kNever until then.
    TimePoint ready_due = kNever;
    /// See Failed::host_faults.
    unsigned host_faults = 0;
    Early early;
};

struct Healthy {
    Run run;
    TimePoint since{};
    TimePoint beat_due = kNever;    ///< kNever where no heartbeat is asked for
    TimePoint stable_due = kNever;  ///< when the attempts go back to 0; kNever once they are
};

struct Stopping {
    Run run;
    /// Why the run is being ended; decides with Desired what follows once the tree is empty.
    Cause why;
    /// Set by an order: the end of this run is not judged and no attempt is counted.
    bool ordered = false;
    /// Some signal to end was sent; unset where the process began to end by itself (STOPPING=1).
    bool asked = false;
    /// The order was SIGKILL at once: a Spawned that comes late gets no grace either.
    bool forced = false;
    /// Which of the stop rule's `further` steps comes at kill_due; past the last, or nothing: SIGKILL.
    std::optional<std::size_t> next_step;
    /// How the main process ended, once it has.
    std::optional<ExitStatus> ended;
    /// When the next step of the stop rule is due; after the last SIGKILL goes to the whole tree, again and
    /// again.
    TimePoint kill_due = kNever;
    bool killed = false;
    TimePoint killed_since = kNever;  ///< when the first SIGKILL in a row was asked for
    /// SIGKILL was repeated for kUnkillableAfter in vain.
    bool unkillable = false;
};

struct Failed {
    TimePoint restart_due{};  ///< passed where the task waits for its turn to start
    /// Spawns in a row that failed for want of the host's resources; stretches their retry.
    unsigned host_faults = 0;
};

struct Completed {};
struct Stopped {};
struct Dead {};

}  // namespace state

using State = std::variant<state::Created, state::Starting, state::Healthy, state::Stopping, state::Failed,
                           state::Completed, state::Stopped, state::Dead>;

/// In the order of State's alternatives.
enum class StateName : std::uint8_t {
    created,
    starting,
    healthy,
    stopping,
    failed,
    completed,
    stopped,
    dead
};

[[nodiscard]] StateName name_of(const State& state) noexcept;
/// Whether a run goes with the state: in starting, healthy and stopping.
[[nodiscard]] constexpr bool has_run(StateName state) noexcept {
    return state == StateName::starting || state == StateName::healthy || state == StateName::stopping;
}
[[nodiscard]] std::string_view to_string(StateName name) noexcept;
[[nodiscard]] std::optional<StateName> parse_state_name(std::string_view text) noexcept;

}  // namespace vigil::core
