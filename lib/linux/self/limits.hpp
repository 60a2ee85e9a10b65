// Layer linux. The daemon's own limit on descriptors: raised for itself, given back to its children.
#pragma once

#include <sys/resource.h>

#include "base/result.hpp"

namespace vigil::os {

struct OpenFileLimit {
    rlimit at_start{};  ///< what children get back
    rlimit now{};
};

/// Raises the soft RLIMIT_NOFILE to the hard one (a soft limit of 1024 is a promise to select(2), which the
/// daemon does not use). Call once, at start. A refusal is no failure: `now` says what holds.
[[nodiscard]] Result<OpenFileLimit> raise_open_file_limit();

}  // namespace vigil::os
