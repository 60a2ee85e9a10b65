// Layer protocol. What daemon.hello and daemon.status answer.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "json/writer.hpp"
#include "protocol/daemon_load.hpp"
#include "protocol/wall_clock.hpp"

namespace vigil::protocol {

/// Raised when a method changes in a way that breaks clients.
inline constexpr unsigned kApiVersion = 1;

/// {"name":"vigild","version":"0.1.0","api":1}
struct Hello {
    std::string name = "vigild";
    std::string version;
    unsigned api = kApiVersion;
};
void write_hello(json::Writer& out, const Hello& hello);
[[nodiscard]] Result<Hello, std::string> parse_hello(std::string_view result);

/// What was dropped since the daemon's start, instead of being kept without bound or believed without ground.
struct DropCounters {
    std::uint64_t notify_too_long = 0;
    std::uint64_t notify_malformed = 0;  ///< embedded NUL, truncated control data, more than a task may queue
    std::uint64_t notify_values = 0;     ///< assignments whose value means nothing
    std::uint64_t notify_strangers = 0;  ///< from a process that may not speak for the task
    std::uint64_t clients_refused = 0;   ///< beyond the limit of connections
    std::uint64_t clients_dropped = 0;   ///< did not read, or sent too long a line
    std::uint64_t requests_denied = 0;
};
/// Name in "dropped" and member, in the order written.
struct DropCounterName {
    std::string_view name;
    std::uint64_t DropCounters::*member;
};
[[nodiscard]] const std::array<DropCounterName, 7>& drop_counters() noexcept;

/// Something that a kernel may have or not, and what stands for it where it has not.
struct FeatureState {
    std::string name;
    std::string state;  ///< "found", "missing" or "disabled"

    friend bool operator==(const FeatureState&, const FeatureState&) = default;
};

/// {"name":"vigild","version":...,"api":1,"pid":...,"started_at":...,"uptime_ms":...,"config_files":[...],
///  "config_changed":false,"config_fault":null,"runtime_dir":...,"socket":...,"shutting_down":false,"clients":1,
///  "keeper_pid":17,"cgroup_home":...,"features":[{"name":"exit-info","state":"found"},...],"tasks":{"total":12,"created":0,"starting":0,"healthy":11,...},"dropped":{...},
///  "loop":{...},"queues":{...}}
struct DaemonStatus {
    std::string version;
    pid_t pid = 0;
    WallTime started_at{};
    std::chrono::milliseconds uptime{};
    std::vector<std::string> config_files;
    /// What is on the disk is not what was read: by time, size and inode of the files, and by which there
    /// are.
    bool config_changed = false;
    /// Why the last good configuration runs in place of the files that the daemon was to start with; empty:
    /// it does not.
    std::string config_fault;
    std::string runtime_dir;
    std::string socket;
    bool shutting_down = false;
    std::size_t clients = 0;
    std::optional<pid_t> keeper_pid;  ///< nothing: there is no keeper
    std::string cgroup_home;          ///< below which tasks get cgroups; empty: they get none
    std::vector<FeatureState> features;
    std::vector<std::size_t> tasks_by_state;  ///< by core::StateName
    DropCounters dropped;
    DaemonLoad load;
};
void write_daemon_status(json::Writer& out, const DaemonStatus& status);
[[nodiscard]] Result<DaemonStatus, std::string> parse_daemon_status(std::string_view result);

}  // namespace vigil::protocol
