#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

namespace vigil::config {
namespace {

using Words = std::string_view;

// The order of the words is the order of the enumerators that they stand for (core/spec.hpp, config.hpp).
constexpr std::array<Words, 5> kLogLevels{"trace", "debug", "info", "warn", "error"};
constexpr std::array<Words, 3> kReadyOn{"exec", "heartbeat", "notify"};
constexpr std::array<Words, 3> kRestartPolicy{"on-failure", "always", "never"};
constexpr std::array<Words, 2> kWhenExhausted{"dead", "keep-trying"};
constexpr std::array<Words, 3> kHeartbeatAccess{"main", "group", "all"};
constexpr std::array<Words, 2> kStopTo{"group", "main"};
constexpr std::array<Words, 4> kOutputTo{"file", "journal", "inherit", "null"};
constexpr std::array<Words, 2> kOutputStreams{"together", "apart"};
constexpr std::array<Words, 4> kOutputFormat{"raw", "timestamp", "prefix", "json"};
constexpr std::array<Words, 2> kCgroup{"auto", "off"};
constexpr std::array<Words, 2> kOrphanPolicy{"adopt", "kill"};

constexpr std::int64_t kMaxUnsigned = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kMaxSize = std::numeric_limits<std::int64_t>::max();
constexpr auto kLive = Change::live;
constexpr auto kTask = Change::task_restart;
constexpr auto kDaemon = Change::daemon_restart;

// clang-format off
constexpr Key kKeys[] = {
// ---- the file ------------------------------------------------------------------------------------------------
{.scope = Scope::file, .path = "version", .kind = Kind::version, .fallback = "1", .change = kLive,
 .text = "The version of this format. There is one so far.", .min = 1, .max = 1},
{.scope = Scope::file, .path = "include", .kind = Kind::patterns, .fallback = "[]", .change = kLive,
 .text = "More files with tasks: paths with wildcards, relative to the directory of this file, each pattern's files in "
         "sorted order. Only the main file may include, and an included file holds nothing but `tasks`. A pattern with "
         "wildcards may match nothing; a plain path must exist."},
{.scope = Scope::file, .path = "daemon", .kind = Kind::section, .fallback = "", .change = kLive,
 .text = "Settings of the daemon itself. Main file only."},
{.scope = Scope::file, .path = "defaults", .kind = Kind::section, .fallback = "", .change = kLive,
 .text = "What every task gets unless it says otherwise: the keys of a task, but for `command`. Objects merge key by "
         "key, anything else replaces; `null` in a task takes a default back where null is allowed. Main file only."},
{.scope = Scope::file, .path = "tasks", .kind = Kind::tasks, .fallback = "{}", .change = kLive,
 .text = "The tasks by name. A name has 1 to 64 letters, digits, `_`, `.`, `@` or `-` and begins with a letter or digit. "
         "At most 20000 tasks; a name that comes twice, in one file or in two, is an error."},

// ---- daemon --------------------------------------------------------------------------------------------------
{.scope = Scope::daemon, .path = "runtime_dir", .kind = Kind::path, .fallback = "null", .change = kDaemon,
 .text = "Directory of the control socket, the notify sockets and the lock.", .nullable = true,
 .null_means = "/run/vigil as root, else $XDG_RUNTIME_DIR/vigil"},
{.scope = Scope::daemon, .path = "state_dir", .kind = Kind::path, .fallback = "null", .change = kDaemon,
 .text = "Directory of what lasts longer than the host's uptime.", .nullable = true,
 .null_means = "/var/lib/vigil as root, else $XDG_STATE_HOME/vigil"},
{.scope = Scope::daemon, .path = "log_dir", .kind = Kind::path, .fallback = "null", .change = kDaemon,
 .text = "Directory of log files.", .nullable = true,
 .null_means = "/var/log/vigil as root, else $XDG_STATE_HOME/vigil/log"},
{.scope = Scope::daemon, .path = "control", .kind = Kind::section, .fallback = "", .change = kLive,
 .text = "Who may use the control socket."},
{.scope = Scope::daemon, .path = "control.mode", .kind = Kind::mode, .fallback = "\"0660\"", .change = kDaemon,
 .text = "File mode of the control socket, octal. Where `read_group` is set the mode is 0666, and rights are judged by "
         "the caller's groups alone."},
{.scope = Scope::daemon, .path = "control.group", .kind = Kind::account, .fallback = "null", .change = kDaemon,
 .text = "Group whose members may start, stop, restart, kill, signal, pause and resume tasks that exist.",
 .nullable = true, .null_means = "the daemon's own group"},
{.scope = Scope::daemon, .path = "control.read_group", .kind = Kind::account, .fallback = "null", .change = kDaemon,
 .text = "Group whose members may read status and events and nothing else.", .nullable = true,
 .null_means = "nobody"},
{.scope = Scope::daemon, .path = "log", .kind = Kind::section, .fallback = "", .change = kLive,
 .text = "The daemon's own log, which goes to stderr."},
{.scope = Scope::daemon, .path = "log.level", .kind = Kind::word, .fallback = "\"info\"", .change = kLive,
 .text = "The least important messages that are still written.", .words = kLogLevels},
{.scope = Scope::daemon, .path = "max_dead_fraction", .kind = Kind::fraction, .fallback = "null", .change = kLive,
 .text = "When more than this fraction of all tasks is dead, not counting those that an operator killed, the daemon stops "
         "everything and exits with code 70, so that its own supervisor learns of it.",
 .nullable = true, .null_means = "off"},
{.scope = Scope::daemon, .path = "max_starting", .kind = Kind::integer, .fallback = "null", .change = kLive,
 .text = "How many tasks whose readiness must be shown may be starting at the same time. Tasks that are ready at exec do "
         "not count.",
 .nullable = true, .null_means = "8 per processor core", .min = 1, .max = 1'000'000},
{.scope = Scope::daemon, .path = "cgroup", .kind = Kind::word_or_path, .fallback = "\"auto\"", .change = kDaemon,
 .text = "Where each task gets a cgroup (version 2) of its own, by which nothing that it started can be missed when it is "
         "stopped: below the daemon's own cgroup where that is delegated to it (`auto`), nowhere (`off`), or below a directory "
         "of the cgroup file system. Where there is none, the process group, the session and the descendants of a task are "
         "looked for instead. With `auto` the reason is in the log; a path that cannot be used ends the start.",
 .words = kCgroup},
{.scope = Scope::daemon, .path = "orphan_policy", .kind = Kind::word, .fallback = "\"adopt\"", .change = kDaemon,
 .text = "What becomes of tasks that a killed daemon left running: the next one takes them over, with their processes and "
         "states (`adopt`), or ends all of their processes at once and starts afresh those that were wanted up (`kill`). What "
         "it finds in its cgroups beside them it ends in any case.",
 .words = kOrphanPolicy},

// ---- task ----------------------------------------------------------------------------------------------------
{.scope = Scope::task, .path = "command", .kind = Kind::argv, .fallback = "", .change = kTask,
 .text = "Program and arguments; no shell is involved. A program without a slash is looked up in the task's PATH at each "
         "start. Required."},
{.scope = Scope::task, .path = "autostart", .kind = Kind::boolean, .fallback = "true", .change = kLive,
 .text = "Whether the task is started with the daemon. Turned on by a reload it starts a task that was never started; it "
         "neither starts one that was stopped or has ended, nor ends one that runs."},
{.scope = Scope::task, .path = "cwd", .kind = Kind::path, .fallback = "\"/\"", .change = kTask,
 .text = "Working directory."},
{.scope = Scope::task, .path = "umask", .kind = Kind::mode, .fallback = "\"022\"", .change = kTask,
 .text = "File mode creation mask, octal."},
{.scope = Scope::task, .path = "env", .kind = Kind::environment, .fallback = "{}", .change = kTask,
 .text = "Environment variables, on top of a clean base (PATH HOME USER LOGNAME SHELL LANG) and of `env_file`. In values "
         "`${VAR}` stands for a variable set before, empty where it is not set; `${VAR:-text}` for text where it is not "
         "set or empty; `$${` for `${`. `null` leaves a variable of `defaults` out."},
{.scope = Scope::task, .path = "env_file", .kind = Kind::path, .fallback = "null", .change = kTask,
 .text = "File of NAME=VALUE lines, read at each start.", .nullable = true, .null_means = "none"},
{.scope = Scope::task, .path = "inherit_env", .kind = Kind::variable_names, .fallback = "[]", .change = kTask,
 .text = "Names of variables that pass from the daemon's environment to the task. Nothing else does."},
{.scope = Scope::task, .path = "user", .kind = Kind::account, .fallback = "null", .change = kTask,
 .text = "User to run as, by name or decimal number.", .nullable = true, .null_means = "the daemon's user"},
{.scope = Scope::task, .path = "group", .kind = Kind::account, .fallback = "null", .change = kTask,
 .text = "Group to run as.", .nullable = true, .null_means = "the user's primary group"},
{.scope = Scope::task, .path = "supplementary_groups", .kind = Kind::accounts, .fallback = "null", .change = kTask,
 .text = "All further groups of the process.", .nullable = true,
 .null_means = "those that the user database gives to the user"},
{.scope = Scope::task, .path = "nice", .kind = Kind::integer, .fallback = "null", .change = kTask,
 .text = "Scheduling priority; lower is favoured.", .nullable = true, .null_means = "the daemon's",
 .min = -20, .max = 19},
{.scope = Scope::task, .path = "rlimits", .kind = Kind::rlimits, .fallback = "{}", .change = kTask,
 .text = "Resource limits by their names in setrlimit(2), in lower case: one value for both limits, or `soft` and `hard`. "
         "A value is a number, `\"unlimited\"`, or, where bytes are counted, a size such as `\"64MiB\"`."},
{.scope = Scope::task, .path = "oom_score_adj", .kind = Kind::integer, .fallback = "null", .change = kTask,
 .text = "How readily the kernel kills the task when memory runs out.", .nullable = true, .null_means = "0",
 .min = -1000, .max = 1000},
{.scope = Scope::task, .path = "no_new_privs", .kind = Kind::boolean, .fallback = "false", .change = kTask,
 .text = "Set-user-ID programs and file capabilities give the task no rights (PR_SET_NO_NEW_PRIVS)."},

{.scope = Scope::task, .path = "heartbeat", .kind = Kind::section, .fallback = "null", .change = kTask,
 .text = "A task with this object must show signs of life; `{}` arms the rule with its defaults.", .nullable = true,
 .null_means = "no heartbeat is expected"},
{.scope = Scope::task, .path = "heartbeat.timeout", .kind = Kind::duration, .fallback = "\"2s\"", .change = kTask,
 .text = "The longest silence. A task silent for longer gets `heartbeat.signal` and counts as failed. Announced to the "
         "task as WATCHDOG_USEC.", .min = 1},
{.scope = Scope::task, .path = "heartbeat.interval", .kind = Kind::duration, .fallback = "null", .change = kTask,
 .text = "How often libvigil beats.", .nullable = true, .null_means = "a third of `heartbeat.timeout`", .min = 1},
{.scope = Scope::task, .path = "heartbeat.initial_delay", .kind = Kind::duration, .fallback = "\"3s\"", .change = kLive,
 .text = "When the first beat is due after a start, where `ready.timeout` does not say otherwise.", .min = 1},
{.scope = Scope::task, .path = "heartbeat.signal", .kind = Kind::signal, .fallback = "\"ABRT\"", .change = kLive,
 .text = "The signal for a silent task. SIGKILL follows after `stop.timeout`."},
{.scope = Scope::task, .path = "heartbeat.access", .kind = Kind::word, .fallback = "\"group\"", .change = kTask,
 .text = "Whose beats count: the main process's only, those of its process group, session and own cgroup, or everyone's.",
 .words = kHeartbeatAccess},
{.scope = Scope::task, .path = "heartbeat.fd", .kind = Kind::boolean, .fallback = "false", .change = kTask,
 .text = "Also offers an inherited pipe, its number in VIGIL_HEARTBEAT_FD, for programs that cannot open a Unix datagram "
         "socket."},

{.scope = Scope::task, .path = "ready", .kind = Kind::section, .fallback = "", .change = kLive,
 .text = "When a started task counts as healthy."},
{.scope = Scope::task, .path = "ready.on", .kind = Kind::word, .fallback = "null", .change = kTask,
 .text = "At the exec, with the first heartbeat, or with READY=1 on its notify socket.", .nullable = true,
 .null_means = "heartbeat where the task has one, else exec", .words = kReadyOn},
{.scope = Scope::task, .path = "ready.timeout", .kind = Kind::duration, .fallback = "null", .change = kLive,
 .text = "How long a task may take to become ready. Without meaning for `ready.on: \"exec\"`.", .nullable = true,
 .null_means = "`heartbeat.initial_delay` for heartbeat, 60s for notify", .min = 1},

{.scope = Scope::task, .path = "restart", .kind = Kind::section, .fallback = "", .change = kLive,
 .text = "What follows when the task ends. The delay is base_delay * 2^min(attempts, max_backoff_exponent), at most "
         "max_delay, then stretched by a random part."},
{.scope = Scope::task, .path = "restart.policy", .kind = Kind::word, .fallback = "\"on-failure\"", .change = kLive,
 .text = "After a failure only, after any end, or never.", .words = kRestartPolicy},
{.scope = Scope::task, .path = "restart.base_delay", .kind = Kind::duration, .fallback = "\"1s\"", .change = kLive,
 .text = "Delay of the first restart."},
{.scope = Scope::task, .path = "restart.max_backoff_exponent", .kind = Kind::integer, .fallback = "5", .change = kLive,
 .text = "How often the delay doubles.", .max = 62},
{.scope = Scope::task, .path = "restart.max_delay", .kind = Kind::duration, .fallback = "\"5m\"", .change = kLive,
 .text = "The longest delay before the random part."},
{.scope = Scope::task, .path = "restart.max_attempts", .kind = Kind::integer, .fallback = "5", .change = kLive,
 .text = "How many restarts in a row are tried; 0 makes the first failure final.", .nullable = true,
 .null_means = "without limit", .max = kMaxUnsigned},
{.scope = Scope::task, .path = "restart.stable_after", .kind = Kind::duration, .fallback = "\"80s\"", .change = kLive,
 .text = "A task healthy for this long has its attempts set back to 0."},
{.scope = Scope::task, .path = "restart.jitter", .kind = Kind::fraction, .fallback = "0.1", .change = kLive,
 .text = "The largest random stretch, as a fraction of the delay. It never shortens."},
{.scope = Scope::task, .path = "restart.when_exhausted", .kind = Kind::word, .fallback = "\"dead\"", .change = kLive,
 .text = "After the last attempt: give up, or go on at the longest delay for ever.", .words = kWhenExhausted},
{.scope = Scope::task, .path = "restart.success_exit_codes", .kind = Kind::exit_codes, .fallback = "[0]", .change = kLive,
 .text = "Exit codes of a task that did what it had to do."},

{.scope = Scope::task, .path = "stop", .kind = Kind::section, .fallback = "", .change = kLive,
 .text = "How the task is ended."},
{.scope = Scope::task, .path = "stop.signal", .kind = Kind::signal, .fallback = "\"TERM\"", .change = kLive,
 .text = "The signal that asks the task to end. SIGCONT follows it, so that a stopped process acts on it too."},
{.scope = Scope::task, .path = "stop.timeout", .kind = Kind::duration, .fallback = "\"10s\"", .change = kLive,
 .text = "How long the task may take to end; then everything that it has started gets SIGKILL."},
{.scope = Scope::task, .path = "stop.to", .kind = Kind::word, .fallback = "\"group\"", .change = kLive,
 .text = "Who gets the signal: the whole process group or the main process. Once the main process has ended, what it left "
         "behind gets the signal in any case.", .words = kStopTo},
{.scope = Scope::task, .path = "stop.signals", .kind = Kind::stop_steps, .fallback = "null", .change = kLive,
 .text = "Several signals one after the other, in place of `stop.signal` and `stop.timeout`: each has its `wait` to end the "
         "task before the next is sent, and SIGKILL comes after the last.", .nullable = true, .null_means = "one signal"},
{.scope = Scope::task, .path = "stop.command", .kind = Kind::argv, .fallback = "null", .change = kLive,
 .text = "Program and arguments, run in place of the first signal with the task's user, directory and environment; "
         "VIGIL_MAIN_PID is the process to end. When it fails, the signal is sent after all. It belongs to the task and ends with "
         "it.", .nullable = true, .null_means = "none"},

{.scope = Scope::task, .path = "output", .kind = Kind::section, .fallback = "", .change = kTask,
 .text = "Where stdout and stderr go, and how much of it is kept."},
{.scope = Scope::task, .path = "output.to", .kind = Kind::word, .fallback = "\"file\"", .change = kTask,
 .text = "`file`: a log of the task's own, which `vigilctl logs` reads. `journal`: systemd's. `inherit`: where the daemon "
         "itself prints. `null`: nowhere. The keys below are for `file`.", .words = kOutputTo},
{.scope = Scope::task, .path = "output.path", .kind = Kind::path, .fallback = "null", .change = kTask,
 .text = "The log file. Two tasks cannot share one.", .nullable = true, .null_means = "`TASK.log` in `daemon.log_dir`"},
{.scope = Scope::task, .path = "output.streams", .kind = Kind::word, .fallback = "\"together\"", .change = kTask,
 .text = "Whether stderr goes into the same log as stdout, or into one of its own (`api.err.log` beside `api.log`).",
 .words = kOutputStreams},
{.scope = Scope::task, .path = "output.format", .kind = Kind::word, .fallback = "\"raw\"", .change = kTask,
 .text = "How lines are written: `raw` as they come; `timestamp` with the time before each; `prefix` with time, task, pid and "
         "stream; `json` as one object a line. Raw costs the daemon next to nothing per byte.", .words = kOutputFormat},
{.scope = Scope::task, .path = "output.max_size", .kind = Kind::size, .fallback = "\"64MiB\"", .change = kTask,
 .text = "When the log is larger a new file is begun, at the end of a line.", .min = 1, .max = kMaxSize},
{.scope = Scope::task, .path = "output.max_age", .kind = Kind::duration, .fallback = "null", .change = kTask,
 .text = "When the log is older a new file is begun.", .nullable = true, .null_means = "at any age it goes on", .min = 1},
{.scope = Scope::task, .path = "output.keep", .kind = Kind::integer, .fallback = "5", .change = kTask,
 .text = "How many older files are kept beside the present one.", .min = 0, .max = 1'000'000},
{.scope = Scope::task, .path = "output.max_total", .kind = Kind::size, .fallback = "null", .change = kTask,
 .text = "How much the older files may hold together; the oldest are removed first.", .nullable = true,
 .null_means = "as much as `output.keep` of them hold", .min = 0, .max = kMaxSize},
{.scope = Scope::task, .path = "output.compress", .kind = Kind::boolean, .fallback = "false", .change = kTask,
 .text = "Whether older files are compressed (zstd). `vigilctl logs` reads them all the same."},
};
// clang-format on

using Index = std::unordered_map<std::string_view, const Key*>;

Index index_of(Scope scope) {
    Index index;
    for (const Key& key : kKeys)
        if (key.scope == scope) index.emplace(key.path, &key);
    return index;
}

}  // namespace

std::span<const Key> keys() noexcept {
    return kKeys;
}

const Key* find_key(Scope scope, std::string_view path) noexcept {
    static const std::array<Index, 3> indexes{index_of(Scope::file), index_of(Scope::daemon),
                                              index_of(Scope::task)};
    const Index& index = indexes[static_cast<std::size_t>(scope)];
    const auto found = index.find(path);
    return found == index.end() ? nullptr : found->second;
}

std::vector<const Key*> members_of(Scope scope, std::string_view section) {
    std::vector<const Key*> members;
    for (const Key& key : kKeys) {
        if (key.scope != scope) continue;
        const std::size_t dot = key.path.rfind('.');
        if ((dot == std::string_view::npos ? std::string_view() : key.path.substr(0, dot)) == section)
            members.push_back(&key);
    }
    return members;
}

std::string_view change_name(Change change) noexcept {
    switch (change) {
        case Change::live: return "live";
        case Change::task_restart: return "task";
        case Change::daemon_restart: return "daemon";
    }
    return {};
}

std::string_view last_part(std::string_view path) noexcept {
    return path.substr(path.rfind('.') + 1);
}

bool is_free_key(std::string_view key) noexcept {
    return key == "$schema" || key.starts_with("x-");
}

}  // namespace vigil::config
