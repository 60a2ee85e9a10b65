// Layer daemon. vigild as somebody's service: what it tells the supervisor above it, usually systemd
// (sd_notify(3)). Silent where there is none.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "loop/loop.hpp"

struct vigil_handle;

namespace vigil::daemon {

class OwnService {
  public:
    /// Reads NOTIFY_SOCKET and WATCHDOG_USEC. With a watchdog, a timer of the loop feeds it at a third of its
    /// time, so it is fed only while the loop turns.
    explicit OwnService(Loop& loop);
    /// A reason why a socket that was named cannot be used; empty when all is well.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

    void ready();
    void stopping();
    /// The line that `systemctl status` shows; sent only when it changed.
    void status(const std::string& line);

  private:
    void feed();

    struct Close {
        void operator()(vigil_handle* handle) const noexcept;
    };
    std::unique_ptr<vigil_handle, Close> handle_;
    std::string fault_;
    std::string last_status_;
    core::Duration interval_{};
    Timer timer_;
};

}  // namespace vigil::daemon
