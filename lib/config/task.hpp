// Layer config, private. One task: from its object to its spec.
#pragma once

#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/reporter.hpp"
#include "core/spec.hpp"
#include "json/value.hpp"

namespace vigil::config {

struct TaskSource {
    std::string_view name;
    const json::Value& object;
    json::Place place;            ///< where to point for what is missing
    const json::Value* defaults;  ///< checked already; may be null
    SourceId source;
    std::string where;  ///< before each key in messages: "tasks.api."
};

/// Null when anything was reported.
[[nodiscard]] core::SpecPtr compile_task(Reporter& reporter, const TaskSource& task);

}  // namespace vigil::config
