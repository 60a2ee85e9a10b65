// A thread that is stopped by ptrace(2) at a system call: the call that is not made, and what it gives
// instead. x86_64 and aarch64.
#pragma once

#include <sys/types.h>

namespace vigil::tools {

/// At the entry: the kernel makes no call. False: the thread is gone.
[[nodiscard]] bool skip_call(pid_t tid);
/// At the exit: what the program gets for it.
[[nodiscard]] bool set_result(pid_t tid, long result);

}  // namespace vigil::tools
