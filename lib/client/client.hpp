// Layer client. The control protocol as calls: one request at a time, each with its answer, and events in
// between.
//
//     auto client = Client::open(socket_candidates({}, present_surroundings()));
//     auto tasks = client->statuses({"web-*"});
//     client->order({.method = Method::task_restart, .names = {"web-1"}}, {.until = ...});
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "client/channel.hpp"
#include "client/fault.hpp"
#include "client/socket_path.hpp"
#include "protocol/daemon_status.hpp"
#include "protocol/methods.hpp"
#include "protocol/task_event.hpp"
#include "protocol/task_status.hpp"

namespace vigil::client {

/// An order to tasks: start, stop, restart, kill or remove.
struct Order {
    protocol::Method method{};
    protocol::Patterns names{};
    bool wait = true;
    std::optional<core::Duration> timeout{};  ///< kept by the daemon, which answers with what was reached
    bool now = false;                         ///< kill only
    bool persist = false;                     ///< remove only
};

/// JSON text of an order's parameters, as `call` takes it.
[[nodiscard]] std::string params_text(const Order& order);
/// {"name":[...]}; empty for no names.
[[nodiscard]] std::string names_text(const protocol::Patterns& names);
/// Parameters of task.status.
[[nodiscard]] std::string status_text(const protocol::params::TaskStatus& status);

[[nodiscard]] std::string signal_text(const protocol::Patterns& names, int signal);
[[nodiscard]] std::string wait_text(const protocol::Patterns& names, protocol::params::TaskWait::For what,
                                    std::optional<core::Duration> timeout);

/// Not thread-safe. After a fault of kind disconnected, protocol, timeout or interrupted the connection is of
/// no more use: open another.
class Client {
  public:
    [[nodiscard]] static Result<Client, Fault> open(const std::vector<std::string>& sockets,
                                                    const Patience& patience = {});

    /// Calls `method` with `params` (a JSON object as text, or empty); gives the result as JSON text, valid
    /// until the next call.
    [[nodiscard]] Result<std::string_view, Fault> call(protocol::Method method, std::string_view params,
                                                       const Patience& patience = {});

    /// Sends an order and waits only until the daemon has taken or refused it, not for its outcome.
    [[nodiscard]] Result<void, Fault> post(protocol::Method method, std::string_view params,
                                           const Patience& patience = {});

    [[nodiscard]] Result<protocol::Hello, Fault> hello(const Patience& patience = {});
    [[nodiscard]] Result<protocol::DaemonStatus, Fault> daemon_status(const Patience& patience = {});
    /// No names: every task.
    /// task.status as JSON text, valid until the next call. A daemon that knows no `fields` gives all of
    /// them.
    [[nodiscard]] Result<std::string_view, Fault> status(protocol::params::TaskStatus wanted,
                                                         const Patience& patience = {});
    [[nodiscard]] Result<std::vector<protocol::TaskStatus>, Fault> statuses(const protocol::Patterns& names,
                                                                            const Patience& patience = {});
    [[nodiscard]] Result<std::vector<protocol::TaskOutcome>, Fault> order(const Order& order,
                                                                          const Patience& patience = {});

    /// From here on next_event() gives what happens to the tasks that `names` match (none: all).
    [[nodiscard]] Result<void, Fault> subscribe(const protocol::Patterns& names,
                                                const Patience& patience = {});
    /// The next event as JSON text, valid until the next call.
    [[nodiscard]] Result<std::string_view, Fault> next_event(const Patience& patience = {});

    /// Waits until the daemon closes the connection. Events that come meanwhile are dropped.
    [[nodiscard]] Result<void, Fault> wait_for_end(const Patience& patience = {});

    /// The fault that an unreadable result of call() amounts to; `what` is the reader's error.
    [[nodiscard]] Fault misread(std::string_view what) const;
    [[nodiscard]] const std::string& socket() const noexcept { return channel_.socket(); }

  private:
    explicit Client(Channel channel) : channel_(std::move(channel)) {}

    /// The next message; what is no message is a fault.
    [[nodiscard]] Result<protocol::Incoming, Fault> receive(const Patience& patience);

    Channel channel_;
    bool chooses_ = true;  ///< nothing has shown that this daemon knows no `fields`
    std::uint64_t last_id_ = 0;
    std::deque<std::string> events_;  ///< that came while an answer was awaited
    std::string event_;
};

}  // namespace vigil::client
