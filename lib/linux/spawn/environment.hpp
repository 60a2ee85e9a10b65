// Layer linux. The environment a task starts with, from scratch: nothing of the daemon's own leaks. Pure but
// for the pieces of the configuration language, which are injected because this layer may not use it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "core/cause.hpp"
#include "core/spec.hpp"
#include "linux/spawn/identity.hpp"

namespace vigil::os {

/// Ordered, names unique and without '='.
using Environment = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The process's own environment, to be passed as `daemon` below. Call before threads are started (environ(7)
/// is not guarded); a later name wins where one is doubled.
[[nodiscard]] Environment current_environment();

/// What a name stands for while a value is expanded.
using VariableLookup = std::function<std::optional<std::string_view>(std::string_view name)>;

/// Parts of the configuration language. Called in spawn threads, several at a time: must be thread-safe.
struct EnvironmentLanguage {
    /// The text of an env_file -> its assignments in order, or one sentence (with a line number) why not.
    std::function<Result<Environment, std::string>(std::string_view text)> parse_file;
    /// `${VAR}` and so on in one value -> the value, or one sentence why not. Unset: values are taken as they
    /// are.
    std::function<Result<std::string, std::string>(std::string_view value, const VariableLookup& lookup)>
        expand;
};

/// Base (PATH HOME USER LOGNAME SHELL LANG), then inherit_env from `daemon`, then the env_file's text, then
/// env; a later assignment replaces an earlier one, and `${...}` sees what was assigned before it. LANG is
/// the daemon's, else C.UTF-8. The error is a SpawnFailure of stage prepare_environment with EINVAL.
[[nodiscard]] Result<Environment, core::SpawnFailure> compose_environment(
    const core::LaunchSpec& launch, const Identity& identity, const Environment& daemon,
    std::string_view env_file_text, const EnvironmentLanguage& language);

/// Sets `name`, replacing or appending.
void set_variable(Environment& environment, std::string_view name, std::string value);
[[nodiscard]] std::optional<std::string_view> find_variable(const Environment& environment,
                                                            std::string_view name);

/// Reads a whole env_file: a regular file (a FIFO or device is refused without being waited for) of at most 1
/// MiB.
[[nodiscard]] Result<std::string> read_env_file(const std::string& path);

}  // namespace vigil::os
