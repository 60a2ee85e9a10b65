// Layer linux. Signal dispositions as they are inherited, put in order once.
#pragma once

#include "base/result.hpp"

namespace vigil::os {

/// Every disposition back to its default (a parent may have left SIGCHLD ignored, which would make the kernel
/// throw exit statuses away, see waitid(2)), SIGPIPE ignored. Call first in main(), with one thread.
[[nodiscard]] Result<void> reset_signals();

/// No signal blocked in this thread.
[[nodiscard]] Result<void> unblock_signals();

}  // namespace vigil::os
