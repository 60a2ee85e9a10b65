// Layer linux. Finding a process again that another daemon started: never by its number alone, which may have
// gone to a stranger.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "linux/self/features.hpp"

namespace vigil::os {

/// What is known of it. One of the three marks is enough; they are asked in this order.
struct KnownProcess {
    pid_t pid = 0;
    std::uint64_t inode = 0;       ///< unique_inode() of its pidfd; 0: not known
    std::uint64_t start_time = 0;  ///< clock ticks since boot, ProcessEntry::start_time; 0: not known
    std::string invocation;        ///< VIGIL_INVOCATION in its environment
};

/// Its pidfd, be it alive or a zombie; an empty one: it is gone. A process that is still before its exec,
/// where it has no mark yet, is waited for, at most a second, and then killed. Where /proc hides it, it
/// passes for gone.
[[nodiscard]] UniqueFd find_again(const KnownProcess& known, const Features& features);

/// Whether it may be a child before its exec. That runs the program of its daemon, which was this one or an
/// older one at the same path, and shares the memory of a process that is gone: it shows that process's
/// environment. So does every other vigild of this program.
[[nodiscard]] bool is_before_exec(pid_t pid);

}  // namespace vigil::os
