#include "linux/self/signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace vigil::os {
namespace {

sigset_t only_child_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    return set;
}

}  // namespace

Result<void> block_only_child_signals() {
    const sigset_t blocked = only_child_signals();
    if (::sigprocmask(SIG_SETMASK, &blocked, nullptr) != 0) return Failure{errno_error("unblocking signals")};
    return {};
}

Result<UniqueFd> child_signals() {
    const sigset_t wanted = only_child_signals();
    UniqueFd signals(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals) return Failure{errno_error("reading signals of children")};
    return signals;
}

bool take_child_signal(const UniqueFd& signals) noexcept {
    signalfd_siginfo taken;
    return ::read(signals.get(), &taken, sizeof taken) == ssize_t{sizeof taken};
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
