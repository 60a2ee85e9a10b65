#include "ctl/terminal.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "ctl/exit_code.hpp"

namespace vigil::ctl {
namespace {

/// False when the descriptor takes no more; errno says why.
bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) return false;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

Terminal::Size size_of(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return {};
    return {size.ws_col, size.ws_row};
}

bool wants_no_colour() {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return (no_colour != nullptr && *no_colour != '\0') ||
           (terminal != nullptr && std::string_view(terminal) == "dumb");
}

}  // namespace

Terminal::Terminal()
    : output_is_terminal_(::isatty(STDOUT_FILENO) == 1),
      error_is_terminal_(::isatty(STDERR_FILENO) == 1),
      colours_(output_is_terminal_ && !wants_no_colour()) {}

bool Terminal::print(std::string_view text) const {
    if (write_all(STDOUT_FILENO, text)) return true;
    complain(errno_error("writing to standard output").text());
    return false;
}

void Terminal::complain(std::string_view text) const {
    error_text(std::string("vigilctl: ").append(text).append("\n"));
}

void Terminal::error_text(std::string_view text) const {
    // There is nowhere left to report a failure of this to.
    (void)write_all(STDERR_FILENO, text);
}

Terminal::Size Terminal::output_size() const {
    return output_is_terminal_ ? size_of(STDOUT_FILENO) : Size{};
}

Terminal::Size Terminal::error_size() const {
    return error_is_terminal_ ? size_of(STDERR_FILENO) : Size{};
}

int Terminal::interrupt_fd() const {
    if (interrupts_) return interrupts_.get();
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    interrupts_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    // Without a descriptor for them the signals must keep their usual effect.
    if (!interrupts_) ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
    return interrupts_.get();
}

int Terminal::interrupt_code() const {
    signalfd_siginfo signal{};
    if (interrupts_ && ::read(interrupts_.get(), &signal, sizeof signal) == sizeof signal)
        return 128 + static_cast<int>(signal.ssi_signo);
    return exit_code::kInterrupted;
}

}  // namespace vigil::ctl
