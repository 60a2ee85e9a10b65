// Layer protocol. One change of a task's state as subscribers see it: the params of the notification "event".
//
//   {"seq":17,"time":"2026-03-01T12:00:00.250Z","name":"api","generation":3,"from":"healthy","to":"failed",
//    "cause":{"kind":"exit-code",...},"pid":null,"restart_attempts":1,"max_restart_attempts":5,
//    "next_start_in_ms":1000,"last_exit":{"kind":"code","code":3,"signal":null,"core":false}}
//
// `from` is null for a task that was just added, `to` for one that was removed. `seq` counts every change of
// the daemon's life, so a gap shows that a pattern filtered some out; it never repeats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "core/effect.hpp"
#include "json/writer.hpp"
#include "protocol/task_status.hpp"
#include "protocol/wall_clock.hpp"

namespace vigil::protocol {

inline constexpr std::string_view kEventMethod = "event";

/// The object alone; see begin_notification for the message around it.
void write_task_event(json::Writer& out, const core::effect::Announce& change, std::uint64_t seq,
                      WallTime at);

struct TaskEvent {
    std::uint64_t seq = 0;
    std::optional<WallTime> at;
    std::string name;
    std::uint64_t generation = 0;
    std::string from;  ///< empty: was just added
    std::string to;    ///< empty: was removed
    std::optional<CauseView> cause;
    std::optional<pid_t> pid;
    std::uint64_t restart_attempts = 0;
    std::optional<std::uint64_t> max_restart_attempts;
    std::optional<std::chrono::milliseconds> next_start_in;
    std::optional<core::ExitStatus> last_exit;
};
[[nodiscard]] Result<TaskEvent, std::string> parse_task_event(std::string_view params);

}  // namespace vigil::protocol
