// Layer protocol. The methods of the control protocol as data: one table that dispatch, rights, error
// messages, the command-line client and the reference derive from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "core/time.hpp"
#include "protocol/rpc.hpp"
#include "protocol/status_fields.hpp"

namespace vigil::protocol {

/// What a caller must be: `read` for read_group, `operate` for group, `admin` for root and the daemon's own
/// uid. Each includes the ones before it.
enum class Right : std::uint8_t { read, operate, admin };
[[nodiscard]] std::string_view to_string(Right right) noexcept;

enum class Method : std::uint8_t {
    daemon_hello,
    daemon_status,
    daemon_check,
    daemon_shutdown,
    task_add,
    task_remove,
    task_start,
    task_stop,
    task_restart,
    task_kill,
    task_signal,
    task_status,
    task_wait,
    task_pause,
    task_resume,
    task_logs,
    events_subscribe,
    daemon_upgrade,
    daemon_reload,
};

enum class ParameterType : std::uint8_t {
    text,      ///< a string without NUL
    patterns,  ///< a shell pattern for task names, or an array of them
    boolean,
    duration,  ///< "1m30s", or whole milliseconds
    signal,    ///< "TERM", "SIGTERM" or a number
    wait_for,  ///< healthy, stopped, completed or exit
    members,   ///< an array of names of members of a task object
    object,
};

struct Parameter {
    std::string_view name;
    ParameterType type;
    bool required;
    std::string_view text;  ///< one phrase for the reference
};

struct MethodInfo {
    Method id;
    std::string_view name;
    Right right;
    std::span<const Parameter> parameters;
    std::string_view text;
};

/// In the order of Method.
[[nodiscard]] std::span<const MethodInfo> methods() noexcept;
[[nodiscard]] const MethodInfo& info(Method method) noexcept;
[[nodiscard]] const MethodInfo* find_method(std::string_view name) noexcept;

/// Shell patterns, never empty strings. Which names they match is the receiver's business.
using Patterns = std::vector<std::string>;

namespace params {

/// daemon.hello, daemon.status
struct None {};
/// task.start, task.stop, task.restart, task.kill, task.remove
struct TaskOrder {
    Patterns names;
    bool wait = true;                       ///< answer when the outcome is reached, else at once
    std::optional<core::Duration> timeout;  ///< how long to wait at most; 0: not at all
    bool now = false;                       ///< task.kill only: SIGKILL at once
    bool persist = false;                   ///< task.remove only: from the configuration files as well
};
/// task.add. An added task with autostart is answered like a started one.
struct TaskAdd {
    std::string name;  ///< not yet checked against the rule for names
    /// The task's object as it stands under "tasks" in a configuration; lives as long as the request's
    /// document.
    const json::Value* spec = nullptr;
    bool persist = false;  ///< write it to the configuration as well
    bool wait = true;
    std::optional<core::Duration> timeout;
};
struct TaskSignal {
    Patterns names;
    int signal = 0;
};
struct TaskWait {
    enum class For : std::uint8_t { healthy, stopped, completed, exit };
    Patterns names;
    For what = For::healthy;
    std::optional<core::Duration> timeout;
};
/// task.pause, task.resume
struct TaskFreeze {
    Patterns names;
};
struct TaskStatus {
    Patterns names;        ///< empty: every task
    bool spec = false;     ///< add the effective specification to each
    bool details = false;  ///< add what costs something to find out: resources, the last lines printed
    StatusFields fields{};
};
struct TaskLogs {
    Patterns names;  ///< empty: every task
};
struct DaemonCheck {
    std::optional<std::string> path;  ///< absolute; nothing: the file the daemon was started with
};
struct DaemonReload {
    bool dry_run = false;  ///< tell what would change, and change nothing
    bool wait = true;      ///< answer when what follows from it is done, else once it is applied
    std::optional<core::Duration> timeout;
};
struct DaemonShutdown {
    bool now = false;  ///< SIGKILL to everything at once
};
struct DaemonUpgrade {
    std::optional<std::string> program;  ///< absolute; nothing: the one that runs, as it is on the disk now
};
struct EventsSubscribe {
    Patterns names;  ///< empty: every task
};

}  // namespace params

using Params = std::variant<params::None, params::TaskOrder, params::TaskAdd, params::TaskSignal,
                            params::TaskWait, params::TaskFreeze, params::TaskStatus, params::TaskLogs,
                            params::DaemonCheck, params::DaemonReload, params::DaemonShutdown,
                            params::DaemonUpgrade, params::EventsSubscribe>;

/// Checks names, types and ranges of `given` (nullptr: none) against the method's table and fills its struct.
/// Unknown parameters are errors that name the nearest known one.
[[nodiscard]] Result<Params, RpcError> decode(const MethodInfo& method, const json::Value* given);

/// The method a request names; method_not_found for an unknown one, with the nearest name. Rights are to be
/// checked before its parameters are decoded.
[[nodiscard]] Result<const MethodInfo*, RpcError> resolve(const Request& request);

[[nodiscard]] std::string_view to_string(params::TaskWait::For what) noexcept;
[[nodiscard]] std::optional<params::TaskWait::For> parse_wait_for(std::string_view text) noexcept;

}  // namespace vigil::protocol
