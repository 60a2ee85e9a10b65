// Layer daemon. Where a daemon keeps its files: the system's places for root, the XDG ones for everybody
// else.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace vigil::daemon {

struct Directories {
    std::string runtime;  ///< control socket, lock, notify sockets
    std::string state;
    std::string log;
};

/// Looks a variable of the environment up; empty values count as unset (XDG Base Directory Specification
/// 0.8).
using EnvironmentLookup = std::function<std::optional<std::string>(const char* name)>;

/// /run/vigil, /var/lib/vigil and /var/log/vigil for root; $XDG_RUNTIME_DIR/vigil and, below $XDG_STATE_HOME
/// or
/// ~/.local/state, vigil and vigil/log for others. The error says which variable is missing and what to do.
[[nodiscard]] Result<Directories> default_directories(uid_t uid, const EnvironmentLookup& environment);

/// /etc/vigil/vigil.json for root, $XDG_CONFIG_HOME/vigil/vigil.json or ~/.config/vigil/vigil.json for
/// others.
[[nodiscard]] Result<std::string> default_config_file(uid_t uid, const EnvironmentLookup& environment);

/// What outlives a daemon, for its successor on the same runtime directory.
[[nodiscard]] std::string state_table_path(const Directories& directories);
[[nodiscard]] std::string spec_store_path(const Directories& directories);

/// The real environment of this process.
[[nodiscard]] std::optional<std::string> environment_variable(const char* name);

}  // namespace vigil::daemon
