// Layer daemon. vigild --dump-state: what a state table says, running or not.
#pragma once

#include <string>

namespace vigil::daemon {

/// Prints the table at `path` on standard output and gives vigild's exit code. Changes nothing, takes no
/// lock.
[[nodiscard]] int dump_state(const std::string& path);

}  // namespace vigil::daemon
