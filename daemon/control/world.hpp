// Layer daemon. What the control methods act upon. Everything named here outlives the control server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/access.hpp"
#include "control/facts.hpp"
#include "core/supervisor.hpp"
#include "core/waits.hpp"
#include "linux/self/spare_memory.hpp"
#include "logger.hpp"
#include "loop/loop.hpp"
#include "protocol/daemon_status.hpp"
#include "protocol/rpc.hpp"
#include "protocol/task_logs.hpp"
#include "protocol/task_status.hpp"

namespace vigil::daemon {

class Reloader;

/// What changes the supervisor goes through here: half a change is no state to go on from. So it has the
/// memory that is set by for it, which an order makes sure of before it begins; without any left the process
/// ends, and its successor goes on from the records.
template <typename Change>
decltype(auto) decide(Change change) noexcept {
    const os::spare_memory::Used used;
    return change();
}

struct World {
    Loop& loop;
    core::Supervisor& supervisor;
    core::Waits& waits;
    const Facts& facts;
    Reloader& reloader;
    Access access;
    protocol::DropCounters& dropped;
    std::shared_ptr<spdlog::logger> log;
    /// Carries out what orders have led to.
    std::function<void()> turn;
    /// What is known of a task beside the supervisor's report; with `details` also what costs something to
    /// find out.
    std::function<protocol::TaskFacts(const core::TaskReport&, bool details)> look_at;
    std::function<std::vector<protocol::LogPlace>(const core::TaskReport&)> logs_of;
    /// The files that a task's output would go to.
    std::function<std::vector<std::string>(const core::TaskSpec&)> log_paths;
    /// An operator's signal to the main process of a task.
    std::function<Result<void>(core::TaskId, int signal)> signal;
    /// Fills in what the platform offers (features, keeper, cgroups), and how busy the daemon is.
    std::function<void(protocol::DaemonStatus&)> look_at_platform;
    std::function<void(bool now)> shut_down;
    /// Goes on as this program (empty: as the one that runs), or tells why not.
    std::function<void(std::string program, std::function<void(const protocol::RpcError&)> refused)> upgrade;
    /// The control socket is another one from now on.
    std::function<void(int listener)> hold_control;
};

}  // namespace vigil::daemon
