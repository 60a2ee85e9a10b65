// vigilctl. What a command line says, parsed.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "protocol/methods.hpp"
#include "protocol/wall_clock.hpp"

namespace vigil::ctl {

struct Options {
    // For every verb.
    std::string socket;  ///< empty: found by itself
    bool json = false;

    // For verbs that wait.
    bool no_wait = false;
    std::optional<core::Duration> timeout;

    std::vector<std::string> names;  ///< patterns, or the one name that `show` and `add` take
    bool watch = false;
    bool now = false;
    int signal = 0;
    protocol::params::TaskWait::For wait_for = protocol::params::TaskWait::For::healthy;
    std::string file;  ///< of check; of upgrade: the program
    bool dry_run = false;
    bool yes = false;      ///< of reload: do not ask
    bool persist = false;  ///< of add and remove
    bool verbose = false;  ///< of version

    // Of logs.
    bool follow = false;
    std::optional<std::size_t> lines = 10;    ///< the last so many of each log; nothing: all
    std::optional<protocol::WallTime> since;  ///< instead of `lines`
    std::string stream;                       ///< "out" or "err"; empty: both

    // Of add.
    std::string spec_file;             ///< "-": standard input
    std::vector<std::string> command;  ///< what stands after "--"
    bool no_autostart = false;
    std::vector<std::string> env;  ///< NAME=VALUE
    /// Values of the options that stand for one key of a task each, by that key ("restart.policy").
    std::map<std::string, std::string> spec_values;
};

}  // namespace vigil::ctl
