// Layer daemon. A spec as the spec store has it.
#pragma once

#include <string>

#include "core/spec.hpp"
#include "logger.hpp"
#include "state/specs.hpp"

namespace vigil::daemon {

/// One line. The text is of the spec as it counts, defaults included: they may be others by the time it is
/// read. Two specs of one text differ in nothing but their names.
[[nodiscard]] std::string stored_text(const core::TaskSpec& spec);
/// Null, and said why, for one that this version cannot read.
[[nodiscard]] core::SpecPtr read_stored_spec(const state::StoredSpec& stored, spdlog::logger& log);

}  // namespace vigil::daemon
