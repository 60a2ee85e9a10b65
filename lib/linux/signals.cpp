#include "linux/signals.hpp"

#include <signal.h>

#include <cerrno>

namespace vigil::os {

Result<void> unblock_signals() {
    sigset_t none;
    ::sigemptyset(&none);
    if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) return Failure{errno_error("unblocking signals")};
    return {};
}

Result<void> reset_signals() {
    struct sigaction action {};
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        action.sa_handler = signal == SIGPIPE ? SIG_IGN : SIG_DFL;
        // EINVAL: the two real-time signals that the C library keeps for itself.
        if (::sigaction(signal, &action, nullptr) != 0 && errno != EINVAL)
            return Failure{errno_error("resetting a signal")};
    }
    return {};
}

}  // namespace vigil::os
