// Layer linux, internal. pidfd system calls and constants that Debian 12 headers do not have, from the
// kernel's include/uapi/linux/pidfd.h. Whether they work is found by trying (features.hpp).
#pragma once

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace vigil::os::pidfd_calls {

inline constexpr unsigned kSignalProcessGroup = 1U << 2;  ///< PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9
inline constexpr std::uint64_t kInfoExit = 1U << 3;       ///< PIDFD_INFO_EXIT, Linux 6.15

/// struct pidfd_info as of its first version (PIDFD_INFO_SIZE_VER0).
struct Info {
    std::uint64_t mask = 0;
    std::uint64_t cgroup_id = 0;
    std::uint32_t pid = 0, tgid = 0, ppid = 0;
    std::uint32_t ruid = 0, rgid = 0, euid = 0, egid = 0, suid = 0, sgid = 0, fsuid = 0, fsgid = 0;
    std::int32_t exit_code = 0;  ///< a wait status
};
static_assert(sizeof(Info) == 64);

/// The descriptor, close-on-exec, or -1 and errno.
inline int open(pid_t pid) noexcept {
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
}

/// 0, or -1 and errno.
inline int send_signal(int pidfd, int signal, unsigned flags) noexcept {
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, flags));
}

/// PIDFD_GET_INFO (Linux 6.13). What was filled in is in the mask.
inline bool get_info(int pidfd, std::uint64_t wanted, Info& out) noexcept {
    out = Info{};
    out.mask = wanted;
    return ::ioctl(pidfd, _IOWR(0xFF, 11, Info), &out) == 0;
}

}  // namespace vigil::os::pidfd_calls
