// Layer core. What is known of one task at one moment: the answer to `status`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/cause.hpp"
#include "core/process_ids.hpp"
#include "core/spec.hpp"
#include "core/state.hpp"

namespace vigil::core {

/// How the last run that ended did so. It outlives the run and the starts after it.
struct LastExit {
    ExitStatus status;
    TimePoint at{};           ///< in the owner's time
    Generation generation{};  ///< the run that ended
    std::optional<ResourceUse> usage = std::nullopt;
};

/// Ages are relative to the time given to Supervisor::report(). Pointers and views hold until the next call
/// that changes the supervisor.
struct TaskReport {
    TaskId id{};
    std::string_view name;
    std::uint64_t last_change = 0;  ///< number of the announcement of its state
    StateName state{};
    bool paused = false;
    Desired desired{};
    bool waiting_turn = false;  ///< would start, but max_starting others are starting
    const Cause* cause = nullptr;
    Pid pid = 0;  ///< 0: no process
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
    std::optional<int> notified_exit_status;
    std::optional<LastExit> last_exit;
    const SpecPtr* spec = nullptr;
};

}  // namespace vigil::core
