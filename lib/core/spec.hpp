// Layer core. What a task is to be: the plain values that a configuration compiles to.
// Everything here is validated and resolved; a default of the configuration language never has to be applied
// again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text_list.hpp"
#include "core/process_ids.hpp"
#include "core/shared.hpp"
#include "core/time.hpp"

namespace vigil::core {

enum class ReadyOn : std::uint8_t { exec, heartbeat, notify };
enum class RestartPolicy : std::uint8_t { on_failure, always, never };
enum class WhenExhausted : std::uint8_t { dead, keep_trying };
/// Whose heartbeats count: the main process only, its group, session or cgroup, or any process at all.
enum class HeartbeatAccess : std::uint8_t { main, group, all };
enum class StopTarget : std::uint8_t { group, main };
/// file: a log of its own; journal: systemd's; inherit: where the daemon prints; null: nowhere.
enum class OutputTo : std::uint8_t { file, journal, inherit, null };
enum class OutputFormat : std::uint8_t { raw, timestamp, prefix, json };
enum class OutputStream : std::uint8_t { out, err };

struct RestartRule {
    RestartPolicy policy = RestartPolicy::on_failure;
    Duration base_delay = std::chrono::seconds(1);  ///< 0 is legal: restart at once
    unsigned max_backoff_exponent = 5;              ///< 0..62
    Duration max_delay = std::chrono::minutes(5);
    std::optional<unsigned> max_attempts = 5;  ///< nothing: unlimited; 0: the first failure is final
    Duration stable_after = std::chrono::seconds(80);
    double jitter = 0.1;  ///< 0..1, the largest random stretch as a fraction of the delay
    WhenExhausted when_exhausted = WhenExhausted::dead;
    std::vector<int> success_exit_codes = {0};  ///< 0..255, sorted, without duplicates

    friend bool operator==(const RestartRule&, const RestartRule&) = default;
};

struct HeartbeatRule {
    Duration timeout = std::chrono::seconds(2);          ///< > 0
    Duration interval = std::chrono::milliseconds(666);  ///< what libvigil is told; > 0
    Duration initial_delay = std::chrono::seconds(3);
    int signal = 6;  ///< sent to a silent task; SIGABRT, for a core
    HeartbeatAccess access = HeartbeatAccess::group;
    bool pipe = false;  ///< configuration key heartbeat.fd: offer VIGIL_HEARTBEAT_FD as well
};

struct ReadyRule {
    ReadyOn on = ReadyOn::exec;
    /// How long a task may stay `starting`; nothing means without bound. Without meaning for ReadyOn::exec.
    std::optional<Duration> timeout;
};

/// One more way to ask a task to end, and how long it has to heed it.
struct StopStep {
    int signal = 15;
    Duration wait = std::chrono::seconds(10);

    friend bool operator==(const StopStep&, const StopStep&) = default;
};

/// First `command` (or `signal`), then each of `further` after the time of the one before it, at last
/// SIGKILL.
struct StopRule {
    int signal = 15;
    Duration timeout = std::chrono::seconds(10);  ///< until the first of `further`, or SIGKILL
    StopTarget to = StopTarget::group;
    std::vector<StopStep> further = {};
    std::vector<std::string> command = {};  ///< argv, run in place of the first signal; empty: none

    friend bool operator==(const StopRule&, const StopRule&) = default;
};

/// Where what a task prints goes, and how much of it is kept.
struct OutputRule {
    OutputTo to = OutputTo::file;
    // All that follows has a meaning for OutputTo::file only.
    std::string path;    ///< absolute; empty: <log_dir>/<task>.log
    bool apart = false;  ///< stderr to a log of its own, see log_path()
    OutputFormat format = OutputFormat::raw;
    std::uint64_t max_size = 64ULL << 20;    ///< bytes after which a new file is begun; > 0
    std::optional<Duration> max_age;         ///< the same by the age of the file; nothing: never
    unsigned keep = 5;                       ///< older files that are kept beside the present one
    std::optional<std::uint64_t> max_total;  ///< bytes that the older files may have together; nothing: any
    bool compress = false;                   ///< older files by zstd

    friend bool operator==(const OutputRule&, const OutputRule&) = default;
};

/// One resource limit by its number (RLIMIT_*); nothing means unlimited.
struct ResourceLimit {
    int resource = 0;
    std::optional<std::uint64_t> soft;
    std::optional<std::uint64_t> hard;

    friend bool operator==(const ResourceLimit&, const ResourceLimit&) = default;
};

/// How the process is made, but for the command. Users and groups are names or decimal numbers here; they are
/// looked up at each start.
struct LaunchSpec {
    std::string cwd = "/";
    FileMode umask = 022;
    std::vector<std::pair<std::string, std::string>>
        env;                               ///< in the order written, `${...}` not yet expanded
    std::string env_file;                  ///< empty: none; read at each start
    std::vector<std::string> inherit_env;  ///< names that pass from the daemon's environment
    std::string user;                      ///< empty: the daemon's
    std::string group;                     ///< empty: the user's primary group
    /// Nothing: the groups that the user database gives to `user`.
    std::optional<std::vector<std::string>> supplementary_groups;
    std::optional<int> nice;  ///< -20..19
    std::vector<ResourceLimit> rlimits;
    std::optional<int> oom_score_adj;  ///< -1000..1000; nothing: 0
    bool no_new_privs = false;
    OutputRule output;

    friend bool operator==(const LaunchSpec&, const LaunchSpec&) = default;
};

/// Name and command set tasks apart; in most of the rest the tasks of one configuration are alike, and what
/// is alike is held once.
struct TaskSpec {
    std::string name;  ///< ^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$
    TextList command;  ///< argv, not empty; the first without a slash is looked up in PATH
    Shared<LaunchSpec> launch;
    Shared<RestartRule> restart;
    Shared<StopRule> stop;
    ReadyRule ready;
    std::optional<HeartbeatRule> heartbeat;
    bool autostart = true;

    /// Whether a notify socket is made for it: a task that neither beats nor reports readiness gets none.
    [[nodiscard]] bool may_notify() const noexcept {
        return heartbeat.has_value() || ready.on == ReadyOn::notify;
    }
};

/// Shared between the supervisor and whoever carries out effects; a run keeps the spec that it was started
/// with.
using SpecPtr = std::shared_ptr<const TaskSpec>;

}  // namespace vigil::core
