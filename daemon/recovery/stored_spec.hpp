// Layer daemon. A spec as the spec store has it.
#pragma once

#include <spdlog/logger.h>

#include "core/spec.hpp"
#include "state/specs.hpp"

namespace vigil::daemon {

/// Null, and said why, for one that this version cannot read.
[[nodiscard]] core::SpecPtr read_stored_spec(const state::StoredSpec& stored, spdlog::logger& log);

}  // namespace vigil::daemon
