// Layer core. Which files a task's output goes to: the one rule for whoever checks, opens or shows them.
#pragma once

#include <string>
#include <vector>

#include "core/spec.hpp"

namespace vigil::core {

/// `<log_dir>/<task>.log`, or the path that the rule gives; for stderr of a rule with `apart` the same with
/// ".err" before a last ".log" ("api.err.log"), or at the end. Only for OutputTo::file.
[[nodiscard]] std::string log_path(const std::string& log_dir, const TaskSpec& spec, OutputStream stream);

/// All of a task's logs: none unless its output goes to a file, two where its streams are apart.
[[nodiscard]] std::vector<std::string> log_paths(const std::string& log_dir, const TaskSpec& spec);

}  // namespace vigil::core
