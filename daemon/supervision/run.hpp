// Layer daemon. One run of a task as the daemon holds it: its processes and the ways in which it speaks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "core/spec.hpp"
#include "core/state.hpp"
#include "linux/process/process_tree.hpp"
#include "linux/socket/notify_socket.hpp"
#include "protocol/notify_message.hpp"

namespace vigil::daemon {

using RunId = std::pair<core::TaskId, core::Generation>;

struct Run {
    core::TaskId task{};
    core::Generation generation{};
    core::SpecPtr spec;

    /// Nothing until the spawner has handed the process over.
    std::optional<os::ProcessTree> tree;
    os::RunIdentity identity;
    /// Set once the task has named another main process than the one we started (MAINPID=).
    UniqueFd main_pidfd;

    os::NotifySocket notify;
    UniqueFd heartbeat_pipe;
    std::unique_ptr<protocol::NotifyPipe> pipe_lines;  ///< made when it first says something

    enum class StopCommand : std::uint8_t { none, on_its_way, running, ended };
    /// The process that is to stop the run; until it has ended it counts as part of it.
    StopCommand stop_command = StopCommand::none;

    std::uint64_t keeper = 0;      ///< which one there was when it was to be spawned
    bool adopted = false;          ///< started by a daemon before this one: no child of ours
    bool collected = false;        ///< what it prints is moved to a log
    bool kill_on_arrival = false;  ///< SIGKILL was asked for before there was a process
    bool exit_told = false;        ///< the supervisor knows that the main process has ended
    bool stranger_told = false;    ///< the log knows that others write to its socket
    bool muted = false;            ///< says more than is read at a time: not watched for a moment
    bool own_kill = false;         ///< its main process was sent a SIGKILL by us
    bool told_to_end = false;      ///< a signal to end was sent: how it ends is of little interest
    bool kill_refused = false;     ///< someone in it may not be killed (EPERM): no use in trying all the time
    unsigned kills = 0;            ///< how often SIGKILL was asked for

    /// When the main process was seen to have ended while its own parent had not reaped it.
    std::optional<core::TimePoint> unreaped_since;

    [[nodiscard]] bool other_main() const noexcept { return static_cast<bool>(main_pidfd); }
};

}  // namespace vigil::daemon
