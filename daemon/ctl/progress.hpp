// vigilctl. While an order is waited for on a terminal: which tasks are awaited and for how long.
#pragma once

#include <optional>
#include <string>

#include "client/client.hpp"
#include "ctl/options.hpp"
#include "ctl/terminal.hpp"

namespace vigil::ctl {

/// One line on standard error, redrawn in place and erased at the end; nothing where that is no terminal.
/// Asks the daemon over a connection of its own, since the order's is waiting.
class Progress {
  public:
    Progress(const Options& options, const Terminal& terminal);
    ~Progress() { erase(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Gives `patience` the tick that draws the line.
    void attach(client::Patience& patience);

  private:
    void draw();
    void erase();
    [[nodiscard]] std::string awaited();

    const Options& options_;
    const Terminal& terminal_;
    core::TimePoint begun_;
    std::optional<client::Client> client_;
    bool silent_ = false;  ///< the daemon would not tell: show the time only
    bool drawn_ = false;
};

/// "api (stopping), web (starting) and 3 more": the tasks on their way, or all if none is.
[[nodiscard]] std::string awaited_text(const std::vector<protocol::TaskStatus>& tasks);

}  // namespace vigil::ctl
