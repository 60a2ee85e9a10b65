// Layer keeper. Starting a keeper.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "linux/socket/unix_listener.hpp"

namespace vigil::keeper {

/// The descriptor at which the program finds its listening socket.
inline constexpr int kListenerFd = 3;

struct StartOptions {
    std::string program;  ///< absolute
    std::string socket;   ///< absolute, at most 107 bytes; the file gets mode 0600
};

/// A child of the calling thread's process: whoever started it reaps it when it ends, and no sweep for
/// orphans may take it for one.
struct Started {
    pid_t pid = 0;
    UniqueFd pidfd;
};

/// Makes the socket, in place of one at which nobody listens, and runs the program with nothing else than
/// that: an own session and so out of reach of any terminal, no environment, cwd /, /dev/null for the three
/// standard streams, every signal at its default and none blocked. One can connect as soon as this returns.
/// EADDRINUSE: a keeper listens there already. The path is taken away again where the program cannot be run.
///
/// The child shares this process's memory up to its exec (posix_spawn(3)), so nothing is copied.
[[nodiscard]] Result<Started> start(const os::InstanceLock& lock, const StartOptions& options);

}  // namespace vigil::keeper
