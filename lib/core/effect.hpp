// Layer core. What the supervisor asks the world to do, in order. A failure comes back as an event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "core/cause.hpp"
#include "core/spec.hpp"
#include "core/state.hpp"

namespace vigil::core::effect {

/// Make the process of this generation; answered by Spawned or SpawnFailed, and after Spawned by Exited.
struct Spawn {
    TaskId task{};
    Generation generation{};
    SpecPtr spec;
};

/// `tree`: everything the run has started, whatever group or session it has moved to. `outside_group`: the
/// same without the main process's group.
enum class SignalTarget : std::uint8_t { main, group, tree, outside_group };

/// Send `signal`, then SIGCONT, so that a stopped process acts on it.
struct Signal {
    TaskId task{};
    Generation generation{};
    int signal = 0;
    SignalTarget to = SignalTarget::group;
};

/// Run `stop.command` of the spec inside the run's tree; answered by one StopCommandEnded.
struct RunStopCommand {
    TaskId task{};
    Generation generation{};
    SpecPtr spec;
    Pid main_pid = 0;
};

/// SIGKILL to everything the run has started, a process still before its exec included.
struct KillTree {
    TaskId task{};
    Generation generation{};
};

/// Stop (or continue) every process of the run.
struct Freeze {
    TaskId task{};
    Generation generation{};
    bool frozen = false;
};

/// A state was entered. Always comes before the effects that follow from it, so that a record written from it
/// is never behind the world.
struct Announce {
    std::uint64_t number = 0;  ///< counts the announcements of all tasks, from 1
    TaskId task{};
    std::string name;
    std::optional<StateName> from;  ///< nothing for a task that was just added
    std::optional<StateName> to;    ///< nothing for a task that was removed
    Cause cause;
    Generation generation{};
    Pid pid = 0;
    unsigned attempts = 0;
    std::optional<unsigned> max_attempts;
    std::optional<Duration> next_start_in;  ///< for `failed`
    std::optional<ExitStatus> exit;  ///< how the last run ended, where this change follows from its end
};

/// A run is over and nothing of it is left; what was held for it may go. Comes before the announcement of its
/// end.
struct Release {
    TaskId task{};
    Generation generation{};
};

/// A shutdown is complete: no process is left, but for those of `left` tasks that cannot be killed.
struct Finished {
    int exit_code = 0;
    std::size_t left = 0;
};

}  // namespace vigil::core::effect

namespace vigil::core {

using Effect = std::variant<effect::Spawn, effect::Signal, effect::RunStopCommand, effect::KillTree,
                            effect::Freeze, effect::Announce, effect::Release, effect::Finished>;

}  // namespace vigil::core
