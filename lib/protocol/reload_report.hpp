// Layer protocol. What daemon.reload answers: what a changed configuration changes, and what became of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "json/writer.hpp"
#include "protocol/rpc.hpp"

namespace vigil::protocol {

/// One key whose value differs.
struct ReloadField {
    std::string key{};     ///< "restart.base_delay", "daemon.log.level"
    std::string before{};  ///< JSON text
    std::string after{};
    std::string change{};  ///< "live", "task" or "daemon": at once, by a restart of the task, of the daemon
};

struct ReloadChange {
    std::string name{};
    bool restart = false;            ///< some of its fields need a restart of the task
    bool added_at_run_time = false;  ///< it was added at run time, and is the file's from now on
    std::vector<ReloadField> fields{};
};

/// {"applied":true,"added":[...],"removed":[...],"changed":[{"name","restart","added_at_run_time","fields":[
///  {"key","before","after","change"}]}],"daemon":[...],"unchanged":12,"tasks":[...]}
struct ReloadReport {
    bool applied = false;
    std::vector<std::string> added{};
    std::vector<std::string> removed{};
    std::vector<ReloadChange> changed{};
    std::vector<ReloadField> daemon{};
    std::size_t unchanged = 0;
    /// What became of the tasks that were started, restarted and stopped for it.
    std::vector<TaskOutcome> tasks{};

    [[nodiscard]] bool differs() const noexcept {
        return !added.empty() || !removed.empty() || !changed.empty() || !daemon.empty();
    }
};

void write_reload_report(json::Writer& out, const ReloadReport& report);
[[nodiscard]] Result<ReloadReport, std::string> parse_reload_report(std::string_view result);

}  // namespace vigil::protocol
