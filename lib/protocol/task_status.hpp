// Layer protocol. What task.status answers for each task, written on the daemon's side and read on the
// client's.
//
//   {"name":"api","status":"healthy","paused":false,"desired":"up","waiting_turn":false,
//    "cause":{"kind":"exit-code","text":"exit code 3","code":3},"pid":4711,"generation":3,
//    "restart_attempts":1,"max_restart_attempts":5,"restarts_total":2,
//    "started_at":"2026-03-01T12:00:00.250Z","uptime_ms":81250,"last_heartbeat_age_ms":120,
//    "heartbeat_timeout_ms":2000,"next_start_in_ms":null,"stop_kill_in_ms":null,"status_text":"serving",
//    "notified_errno":null,
//    "last_exit":{"kind":"code","code":3,"signal":null,"core":false,"at":"2026-03-01T11:59:58.900Z",
//                 "user_ms":120,"system_ms":30,"max_rss_bytes":5242880,"lines":["what it printed last"]},
//    "output":{"written_bytes":4096,"dropped_bytes":0,"dropped_lines":0,"fault":null},
//    "resources":{"processes":3,"memory_bytes":5242880,"cpu_ms":150}}
//
// Every member is always there; what does not apply is null (but see StatusFields). max_restart_attempts is
// null where unlimited. `lines` and `resources` are null unless details were asked for; `output` is null as
// well then, while nothing was dropped and nothing is in the way.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/cause.hpp"
#include "core/report.hpp"
#include "json/writer.hpp"
#include "protocol/status_fields.hpp"
#include "protocol/wall_clock.hpp"

namespace vigil::protocol {

/// What became of what a task printed, since the daemon started.
struct OutputFacts {
    std::uint64_t written = 0;  ///< bytes put into its log
    std::uint64_t dropped = 0;  ///< bytes lost
    std::uint64_t dropped_lines = 0;
    std::string fault;  ///< why nothing can be written now; empty: all is well
};

/// What the processes of a task use at the moment.
struct Resources {
    std::uint64_t processes = 0;
    std::uint64_t memory = 0;  ///< bytes
    std::chrono::milliseconds cpu{};
};

/// What is known of a task beside the supervisor's report. Empty parts become null.
struct TaskFacts {
    std::optional<OutputFacts> output = std::nullopt;
    std::optional<Resources> resources = std::nullopt;
    /// Raw; what the run that ended last had printed.
    std::optional<std::vector<std::string>> last_lines = std::nullopt;
    std::string spec =
        {};  ///< the effective specification as JSON text, masked as the reader's rights demand
};

/// One task object. Costs no allocation but what `out` needs and, where there is a cause, its text.
void write_task_status(json::Writer& out, const core::TaskReport& report, const ClockReading& clock,
                       const TaskFacts& facts = {}, StatusFields fields = {});

/// {"kind":..., "text":..., ...}, or null for cause::None. Beside kind and text:
///   operator            uid, pid
///   exit-code           code (null: ended while nobody could see how)
///   exit-signal         signal ("SEGV"), core
///   heartbeat-timeout, ready-timeout   timeout_ms
///   spawn-failed        stage, errno ("ENOENT"), detail (null where there is none)
///   attempts-exhausted  attempts, last (the last failure's cause)
///   dependency          task
void write_cause(json::Writer& out, const core::Cause& cause);

/// A cause as a client sees it: the closed list may grow, so an unknown kind is carried as it is.
struct CauseView {
    std::string kind;
    std::string text;
};

struct LastExitView {
    using Ms = std::chrono::milliseconds;
    core::ExitStatus status;
    std::optional<WallTime> at;
    std::optional<Ms> user;
    std::optional<Ms> system;
    std::optional<std::uint64_t> max_rss;  ///< bytes
    std::vector<std::string> lines;
};

/// A task object as read back; durations are whole milliseconds.
struct TaskStatus {
    using Ms = std::chrono::milliseconds;
    std::string name;
    std::string status;  ///< a word of core::StateName, or one that a newer daemon knows
    bool paused = false;
    std::string desired;
    bool waiting_turn = false;
    std::optional<CauseView> cause;
    std::optional<pid_t> pid;
    std::uint64_t generation = 0;
    std::uint64_t restart_attempts = 0;
    std::optional<std::uint64_t> max_restart_attempts;
    std::uint64_t restarts_total = 0;
    std::optional<WallTime> started_at;
    std::optional<Ms> uptime;
    std::optional<Ms> last_heartbeat_age;
    std::optional<Ms> heartbeat_timeout;
    std::optional<Ms> next_start_in;
    std::optional<Ms> stop_kill_in;
    std::string status_text;
    std::optional<LastExitView> last_exit;
    std::optional<OutputFacts> output;
    std::optional<Resources> resources;
    std::string spec;  ///< the effective specification as JSON text, where it was asked for
};

/// Unknown members are skipped, so that an older client reads a newer daemon. The error names the member at
/// fault.
[[nodiscard]] Result<TaskStatus, std::string> parse_task_status(std::string_view object);
/// {"tasks":[...]}, the result of task.status.
[[nodiscard]] Result<std::vector<TaskStatus>, std::string> parse_task_statuses(std::string_view result);
/// The same, one after the other: thousands of them are megabytes. After an error what was taken is to be
/// forgotten.
[[nodiscard]] Result<void, std::string> take_task_statuses(std::string_view result,
                                                           const std::function<void(TaskStatus&)>& take);

}  // namespace vigil::protocol
