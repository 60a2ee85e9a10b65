// Layer linux. Packets with descriptors beside them, over a Unix socket (SCM_RIGHTS, see unix(7)).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::os {

/// Descriptors taken with one packet; those beyond are closed by the kernel.
inline constexpr std::size_t kMostPassed = 8;

/// One sendmsg(2) that never waits and raises no SIGPIPE, on a socket that keeps packets apart: all of it or
/// nothing. `descriptors` (up to kMostPassed) stay the caller's, who may close them at once: what was sent is
/// in the socket's queue and stays there when the sender dies. The error is an errno. EAGAIN: the queue is
/// full, poll(2) says when it is not. ETOOMANYREFS (too many descriptors of this user are on their way) and
/// ENOBUFS pass as well, but no poll tells when.
[[nodiscard]] Result<void, int> send_packet(int socket, std::string_view bytes,
                                            std::span<const int> descriptors);

struct ReceivedPacket {
    std::size_t size = 0;  ///< 0 also at the end of the connection
    bool cut = false;      ///< the packet was longer than the room for it
    /// Descriptors are missing: there were more than kMostPassed, or this process's table is full. The kernel
    /// does not say which; in the second case fewer than kMostPassed came.
    bool descriptors_cut = false;
    std::size_t descriptor_count = 0;
    std::array<UniqueFd, kMostPassed> descriptors;  ///< close-on-exec
};

/// The next packet, without waiting. The error is an errno; EAGAIN: there is none.
[[nodiscard]] Result<ReceivedPacket, int> receive_packet(int socket, std::span<char> room);

}  // namespace vigil::os
