// Layer config. From configuration files to task specs: everything that is wrong, at once and with its place.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/files.hpp"
#include "config/problem.hpp"
#include "core/spec.hpp"
#include "json/value.hpp"

namespace vigil::config {

/// "clear limit, not OOM": more tasks than this are an error.
inline constexpr std::size_t kMaxTasks = 20'000;

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };
[[nodiscard]] std::string_view log_level_name(LogLevel level) noexcept;

/// `daemon.orphan_policy`: what becomes of runs that a killed daemon left.
enum class OrphanPolicy : std::uint8_t { adopt, kill };
[[nodiscard]] std::string_view orphan_policy_name(OrphanPolicy policy) noexcept;

/// `daemon.control`: who may use the control socket.
struct ControlSettings {
    mode_t mode = 0660;
    std::optional<std::string> group;  ///< may start, stop, ... tasks that exist; nothing: the daemon's own
    std::optional<std::string> read_group;  ///< may only read; nothing: nobody

    bool operator==(const ControlSettings&) const = default;
};

/// `daemon`: resolved but for what depends on the uid. An empty directory is one that is not configured: the
/// daemon chooses the system's or the user's (XDG).
struct DaemonSettings {
    std::string runtime_dir;
    std::string state_dir;
    std::string log_dir;
    ControlSettings control;
    LogLevel log_level = LogLevel::info;
    std::string cgroup = "auto";              ///< "auto", "off", or an absolute path
    std::optional<double> max_dead_fraction;  ///< 0..1; nothing: off
    std::optional<unsigned> max_starting;     ///< >= 1; nothing: 8 per core
    OrphanPolicy orphan_policy = OrphanPolicy::adopt;

    bool operator==(const DaemonSettings&) const = default;
};

/// The `defaults` object of a configuration, already checked, kept so that a task added at run time gets them
/// too. Empty means none. Cheap to copy.
struct TaskDefaults {
    std::shared_ptr<const json::Value> object;
    std::string file;
};

struct Config {
    DaemonSettings daemon;
    std::vector<core::SpecPtr> tasks;     ///< in the order written, main file first
    std::vector<std::size_t> task_files;  ///< by task: which of `files` it stands in
    std::vector<std::string> files;       ///< every file that was read, main file first
    TaskDefaults defaults;
};

/// Reads `path` and what it includes. All problems of all files come at once, by file in the order read and
/// by place within it; beyond 1000 of them the rest is counted.
[[nodiscard]] Result<Config, std::vector<Problem>> load(Files& files, const std::string& path);

/// The settings of `path` alone, whatever else is wrong in it: where a daemon that cannot use the file may
/// look for what one before it has left. Nothing where they are wrong themselves, or not there because the
/// file is broken off before.
[[nodiscard]] std::optional<DaemonSettings> load_settings(Files& files, const std::string& path);

/// One task object as it stands under `tasks` (task.add, vigilctl add -f). `file_label` stands in for the
/// file name in messages.
[[nodiscard]] Result<core::SpecPtr, std::vector<Problem>> parse_task(const json::Value& object,
                                                                     std::string_view name,
                                                                     const TaskDefaults& defaults,
                                                                     std::string_view file_label);

/// Empty when `name` may name a task (^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$), else the sentence that says why
/// not.
[[nodiscard]] std::string task_name_fault(std::string_view name);

}  // namespace vigil::config
