// Layer daemon. The parts of the configuration language that a spawn needs, for the layer that knows no
// configuration.
#pragma once

#include "linux/spawn/environment.hpp"

namespace vigil::daemon {

/// Called in spawn threads.
[[nodiscard]] os::EnvironmentLanguage environment_language();

}  // namespace vigil::daemon
