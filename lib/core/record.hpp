// Layer core. What of a task outlives the daemon: the facts that its successor goes on from, be it after a
// crash or after an upgrade. A value; who writes it down and how is not known here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/cause.hpp"
#include "core/process_ids.hpp"
#include "core/report.hpp"
#include "core/state.hpp"
#include "core/time.hpp"

namespace vigil::core {

/// Times are the owner's, of a clock that goes on from one daemon to the next (CLOCK_MONOTONIC of one boot).
/// What has no meaning in `state` has its default.
struct TaskRecord {
    std::string name;
    Desired desired = Desired::up;
    StateName state = StateName::created;
    Cause cause;
    Generation generation{};  ///< of the present or last run
    std::uint64_t runs = 0;   ///< spawns asked for
    unsigned attempts = 0;
    bool paused = false;

    // Of the present run, in starting, healthy and stopping.
    TimePoint started_at{};
    Pid main_pid = 0;               ///< 0: no Spawned has been read yet
    bool said_ready = false;        ///< starting: the awaited sign of life came before Spawned was read
    TimePoint stable_due = kNever;  ///< healthy: when the attempts go back to 0

    /// In starting, stopping and failed: the state's own deadline. As Starting::ready_due, Stopping::kill_due
    /// and Failed::restart_due in state.hpp.
    TimePoint state_due = kNever;
    unsigned host_faults = 0;  ///< in starting and failed

    // In stopping; as in state::Stopping.
    bool asked = false;
    std::optional<std::size_t> next_step;
    Cause why;
    bool ordered = false;
    bool forced = false;
    bool killed = false;
    std::optional<ExitStatus> ended;

    // What the present or last run has told.
    std::string status_text;
    std::optional<Duration> heartbeat_timeout;

    std::optional<LastExit> last_exit;
};

/// How a record comes to be gone on from.
enum class Adoption : std::uint8_t {
    /// Nobody knows how long ago it was written, nor which of the steps that follow from it were done: times
    /// begin
    /// anew, and so does a stop.
    after_crash,
    /// By the process that wrote it, as another program: everything goes on as it was, and nobody is told of
    /// it.
    in_place,
};

}  // namespace vigil::core
