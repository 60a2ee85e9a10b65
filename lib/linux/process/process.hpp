// Layer linux. Processes by pidfd: a number may be given to a stranger between two looks, a descriptor never.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/cause.hpp"
#include "linux/self/features.hpp"

namespace vigil::os {

/// pidfd_open(2), close-on-exec. Only safe for a pid that cannot be reaped meanwhile (an own child,
/// unreaped); for any other check what it is after opening. ESRCH: no such process.
[[nodiscard]] Result<UniqueFd> open_pidfd(pid_t pid);

/// A number that no other process of this boot has or will have: the inode of its pidfd on pidfs (Linux 6.9).
/// 0: an older kernel, where all pidfds share one.
[[nodiscard]] std::uint64_t unique_inode(int pidfd) noexcept;

/// How a process ended and what it used (nothing where someone else reaped it).
struct ChildEnd {
    core::ExitStatus status;
    std::optional<core::ResourceUse> usage;
};

/// Decodes a wait status (wait(2): WIFEXITED and so on).
[[nodiscard]] core::ExitStatus decode_wait_status(int wait_status) noexcept;

/// Reaps a process that has ended; nothing while it runs. For one that someone else has reaped or that never
/// was our child, how it ended comes from the pidfd itself where Features::exit_info holds, else it is
/// Kind::unknown. Nothing as well for a zombie that its real parent has not reaped yet. Never blocks.
[[nodiscard]] std::optional<ChildEnd> reap(int pidfd, const Features& features);

/// Waits until an own child has ended and reaps it. Only for one that was sent SIGKILL, and never in a loop:
/// a process in uninterruptible sleep takes its time. Reaped by someone else: returns at once.
void wait_and_reap(int pidfd) noexcept;

/// Whether the process has ended, reaped or not. Reaps nothing.
[[nodiscard]] bool has_ended(int pidfd) noexcept;

/// pidfd_send_signal(2). ESRCH: ended and reaped; EPERM: it became someone we may not signal. A zombie takes
/// any signal.
[[nodiscard]] Result<void> signal_process(int pidfd, int signal) noexcept;

/// Signals the process group of which `leader` is the leader. With Features::signal_process_group by its
/// pidfd, safe at any time; without by kill(-leader), which the caller may use only while the leader is
/// unreaped. ESRCH: nobody is in the group. EPERM: somebody is, and none of them may be signalled.
[[nodiscard]] Result<void> signal_group(pid_t leader, int pidfd, int signal,
                                        const Features& features) noexcept;

/// Whether nobody, not even a zombie, is in the process group of `leader`. A probe without effect, safe at
/// any time. Without Features::signal_process_group a stranger's group with the same number, made after ours
/// had ended, passes for ours.
[[nodiscard]] bool group_is_empty(pid_t leader, int pidfd, const Features& features) noexcept;

/// PR_SET_CHILD_SUBREAPER: orphans of our tasks become our children (prctl(2)), see orphans.hpp.
[[nodiscard]] Result<void> become_subreaper() noexcept;

}  // namespace vigil::os
