// vigilctl. The two output streams, what they are connected to, and interruption by Ctrl-C.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/unique_fd.hpp"

namespace vigil::ctl {

/// Made once, by main. Data goes to standard output, messages to standard error.
class Terminal {
  public:
    /// Looks at descriptors 1 and 2 and at NO_COLOR (https://no-color.org).
    Terminal();

    /// Data. Gives false, after a message, when it could not be written (a full disk).
    bool print(std::string_view text) const;
    /// "vigilctl: <text>" and a newline, on standard error.
    void complain(std::string_view text) const;
    /// Raw text on standard error, for progress.
    void error_text(std::string_view text) const;

    [[nodiscard]] bool output_is_terminal() const noexcept { return output_is_terminal_; }
    [[nodiscard]] bool error_is_terminal() const noexcept { return error_is_terminal_; }
    [[nodiscard]] bool colours() const noexcept { return colours_; }
    struct Size {
        std::size_t columns = 0;  ///< 0: unknown
        std::size_t rows = 0;
    };
    /// Of standard output, now; {0, 0} where that is no terminal.
    [[nodiscard]] Size output_size() const;
    [[nodiscard]] Size error_size() const;

    /// From the first call on SIGINT, SIGTERM and SIGHUP end no process: they make this descriptor readable.
    /// To be asked for where there is something to restore, or an order to be told apart from its outcome.
    [[nodiscard]] int interrupt_fd() const;
    /// The exit code that the signal which came amounts to: 128 + its number.
    [[nodiscard]] int interrupt_code() const;

  private:
    bool output_is_terminal_;
    bool error_is_terminal_;
    bool colours_;
    mutable UniqueFd interrupts_;
};

}  // namespace vigil::ctl
