// Layer linux. Who is at the other end of a control connection.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vigil::os {

/// As the kernel recorded it at connect(2): what the peer did to itself afterwards changes nothing. A uid or
/// gid that has no mapping in our user namespace shows as 65534 and must not be trusted.
struct Peer {
    pid_t pid = 0;  ///< 0: outside our pid namespace
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  ///< supplementary groups

    [[nodiscard]] bool in_group(gid_t group) const noexcept;
};

/// SO_PEERCRED and SO_PEERGROUPS of a connected Unix stream socket, see unix(7).
[[nodiscard]] Result<Peer> peer_of(int fd);

/// Of that, the user alone; nothing where the kernel does not tell.
[[nodiscard]] std::optional<uid_t> peer_uid(int fd);

/// The name in /proc/PID/comm, for log lines only: the process chooses it itself (raw bytes, at most 15) and
/// may be gone or another one by now. Empty where there is none.
[[nodiscard]] std::string command_name(pid_t pid);

}  // namespace vigil::os
