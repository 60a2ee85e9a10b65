// Layer core. Everything that can happen to a task. Events that come from a process carry the generation they
// belong to; one of an old generation changes nothing.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "core/cause.hpp"
#include "core/process_ids.hpp"
#include "core/spec.hpp"
#include "core/state.hpp"

namespace vigil::core::event {

// Orders. They change what is desired; the states follow.
struct Start {
    Cause by;
};
struct Stop {
    Cause by;
    bool now = false;  ///< SIGKILL at once instead of the stop sequence
};
struct Restart {
    Cause by;
};
struct Kill {
    Cause by;
    bool now = false;  ///< SIGKILL at once instead of the stop sequence
};
struct Remove {
    Cause by;
};
/// Heartbeats are not judged and no deadline of the run passes until Resume.
struct Pause {
    Cause by;
};
struct Resume {
    Cause by;
};
/// The configuration has changed. The task is what `spec` says from now on; `spec` has the task's name and is
/// not null. With `restart` what differs cannot be given to a running process: a run, or a restart that is
/// pending, is replaced once, with cause ConfigReload. Without it everything that differs holds at once, for
/// deadlines that run as well (task_reload.cpp).
struct NewSpec {
    SpecPtr spec;
    bool restart = false;
};

// From the process side.
struct Spawned {
    Generation generation{};
    Pid pid = 0;
};
struct SpawnFailed {
    Generation generation{};
    SpawnFailure failure;
};
/// The main process has ended. With `tree_empty` nothing else of the run is left and no TreeEmpty follows.
struct Exited {
    Generation generation{};
    ExitStatus status;
    bool tree_empty = false;
    std::optional<ResourceUse> usage = std::nullopt;  ///< nothing where nobody could be asked
    /// The kernel ended it because memory ran out.
    bool out_of_memory = false;
};
/// The command that was run to stop the task has ended. Not `done`: it could not be run or failed, and the
/// task is still to be asked to end.
struct StopCommandEnded {
    Generation generation{};
    bool done = false;
};
/// Nothing of the run is left; follows an Exited without `tree_empty`. Without one the run's end is
/// `unknown`.
struct TreeEmpty {
    Generation generation{};
};

/// A valid notify message of a permitted sender, already decoded; absent parts are unset. The parts of one
/// message are one event, so that READY=1 and WATCHDOG=1 in one datagram act together.
struct Notified {
    Generation generation{};
    bool ready = false;
    bool beat = false;
    bool trigger = false;  ///< WATCHDOG=trigger
    bool stopping = false;
    bool reloading = false;                  ///< RELOADING=1: changes nothing yet
    std::optional<Duration> watchdog;        ///< WATCHDOG_USEC=: new heartbeat timeout of this run
    std::optional<Duration> extend_timeout;  ///< EXTEND_TIMEOUT_USEC=
    std::optional<Pid> main_pid;             ///< MAINPID=, found to be inside the task's own tree
    std::optional<std::string> status;       ///< STATUS=
    std::optional<int> error;                ///< ERRNO=
    std::optional<int> exit_status;          ///< EXIT_STATUS=
};

}  // namespace vigil::core::event

namespace vigil::core {

using Event = std::variant<event::Start, event::Stop, event::Restart, event::Kill, event::Remove,
                           event::Pause, event::Resume, event::NewSpec, event::Spawned, event::SpawnFailed,
                           event::Exited, event::StopCommandEnded, event::TreeEmpty, event::Notified>;

}  // namespace vigil::core
