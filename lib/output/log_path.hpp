// Layer output. Which file a task's output goes to.
#pragma once

#include <string>

#include "core/spec.hpp"

namespace vigil::output {

/// `<log_dir>/<task>.log`, or the path that the rule gives; for stderr of a rule with `apart` the same with
/// ".err" before a last ".log" ("api.err.log"), or at the end. Only for OutputTo::file.
[[nodiscard]] std::string log_path(const std::string& log_dir, const core::TaskSpec& spec,
                                   core::OutputStream stream);

}  // namespace vigil::output
