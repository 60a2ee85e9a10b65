// Layer daemon. Who may do what over the control socket.
#pragma once

#include <sys/types.h>

#include <optional>

#include "linux/socket/peer.hpp"
#include "protocol/methods.hpp"

namespace vigil::daemon {

struct Access {
    uid_t owner = 0;                  ///< the daemon's own uid; it and root may do all
    std::optional<gid_t> group;       ///< may give orders to tasks that exist
    std::optional<gid_t> read_group;  ///< may look

    /// The most that this peer may do; nothing: it may not even look. Decided from what the kernel recorded
    /// when it connected (SO_PEERCRED, SO_PEERGROUPS).
    [[nodiscard]] std::optional<protocol::Right> highest(const os::Peer& peer) const noexcept;
    [[nodiscard]] bool permits(const os::Peer& peer, protocol::Right needed) const noexcept;
};

}  // namespace vigil::daemon
