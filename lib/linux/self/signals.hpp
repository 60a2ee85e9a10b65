// Layer linux. Signal dispositions as they are inherited, put in order once.
#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::os {

/// Every disposition back to its default (a parent may have left SIGCHLD ignored, which would make the kernel
/// throw exit statuses away, see waitid(2)), SIGPIPE ignored. Call first in main(), with one thread.
[[nodiscard]] Result<void> reset_signals();

/// No signal blocked in this thread but SIGCHLD, which is read by child_signals().
[[nodiscard]] Result<void> block_only_child_signals();

/// Readable while a SIGCHLD is pending, which is to be blocked in every thread: no handler then interrupts
/// what is being done, and as long as one is pending the kernel tells of no other.
[[nodiscard]] Result<UniqueFd> child_signals();
/// Takes the SIGCHLD that is pending; false where there is none. Never blocks.
[[nodiscard]] bool take_child_signal(const UniqueFd& signals) noexcept;

}  // namespace vigil::os
