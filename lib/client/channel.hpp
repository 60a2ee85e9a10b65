// Layer client. A blocking connection to a control socket: lines out, lines in, each with a time limit. Safe
// against EINTR and never the cause of a SIGPIPE.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "client/fault.hpp"
#include "core/time.hpp"
#include "protocol/line_framing.hpp"

namespace vigil::client {

/// Longest line taken from a daemon: far above the status of all tasks there may be.
inline constexpr std::size_t kAnswerLimit = std::size_t{256} << 20;
inline constexpr core::Duration kConnectLimit = std::chrono::seconds(5);

/// What may end or accompany the waiting for a descriptor.
struct Patience {
    core::TimePoint until = core::kNever;
    /// Waiting ends with Fault::interrupted as soon as this descriptor can be read; -1: none. Not owned.
    int interrupt_fd = -1;
    /// Called about every `tick_every` while waiting; may be empty.
    std::function<void()> tick{};
    std::chrono::milliseconds tick_every{200};
};

/// Sleeps until `patience` ends it: a timeout is success, an interruption is not.
[[nodiscard]] Result<void, Fault> pause(const Patience& patience);

class Channel {
  public:
    /// Connects to the first of `sockets` at which a daemon listens. A socket that refuses this user ends the
    /// search only if no later one can be reached.
    [[nodiscard]] static Result<Channel, Fault> open(const std::vector<std::string>& sockets,
                                                     const Patience& patience);

    /// Sends the whole of `line`, which ends with a newline.
    [[nodiscard]] Result<void, Fault> send(std::string_view line, const Patience& patience);
    /// The next line, without its end; valid until the next call.
    [[nodiscard]] Result<std::string_view, Fault> receive(const Patience& patience);

    /// The path connected to.
    [[nodiscard]] const std::string& socket() const noexcept { return socket_; }

  private:
    Channel(UniqueFd fd, std::string socket) : fd_(std::move(fd)), socket_(std::move(socket)) {}

    UniqueFd fd_;
    std::string socket_;
    protocol::LineReader lines_{kAnswerLimit};
    std::unique_ptr<char[]> piece_;  ///< what one recv(2) gives; made by the first
};

}  // namespace vigil::client
