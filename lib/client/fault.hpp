// Layer client. Why a call had no result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/rpc.hpp"

namespace vigil::client {

struct Fault {
    enum class Kind : std::uint8_t {
        unreachable,   ///< no daemon answers at any of the sockets
        denied,        ///< the socket, or the daemon, refuses this user
        disconnected,  ///< the daemon went away during the call: what became of the order is not known
        timeout,       ///< the time given was over before the answer
        protocol,      ///< what answers does not speak our protocol
        interrupted,   ///< the caller's own interruption
        refused,       ///< the daemon answered with an error: see `rpc`
    };
    Kind kind = Kind::protocol;
    std::string message{};  ///< a sentence for people, fit for a terminal
    std::optional<protocol::RpcError>
        rpc{};  ///< for `refused`, `denied` and `timeout` where the daemon said it
};

/// The fault that a daemon's error amounts to.
[[nodiscard]] Fault fault_of(protocol::RpcError error);

}  // namespace vigil::client
