// Layer protocol. The sd_notify wire: one datagram, or lines from a pipe, decoded with systemd's meanings
// (sd_notify(3)). Knows nothing of sockets and of who sent a message.
//
//   message    = assignment *( ("\n" / "\r") assignment )      at most 4096 bytes, one trailing NUL allowed
//   assignment = NAME "=" value                                unknown ones are ignored
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "core/event.hpp"

namespace vigil::protocol {

inline constexpr std::size_t kNotifyMessageLimit = 4096;
/// A longer STATUS= is cut here, between two characters.
inline constexpr std::size_t kStatusTextLimit = 512;

/// What one message says.
struct NotifyMessage {
    /// `generation` is left for the receiver to fill in, and so is `main_pid`: see below.
    core::event::Notified parts;
    /// MAINPID= as it was claimed, > 1. It counts only once the receiver found it inside the task's own tree.
    std::optional<pid_t> claimed_main_pid;
    /// BARRIER=1: the sender waits until the descriptor it attached is closed. Stands alone; what is said
    /// beside it has no effect.
    bool barrier = false;
    /// Known assignments whose value means nothing (WATCHDOG_USEC=-1, a STATUS= that is not UTF-8).
    std::uint16_t ignored = 0;

    /// False for an empty message and for one that says nothing we know.
    [[nodiscard]] bool has_effect() const noexcept;
};

/// Why a whole message is dropped.
enum class NotifyRefusal : std::uint8_t { too_long, embedded_nul };

/// True for the message that nearly all messages are. Lets a receiver skip the rest.
[[nodiscard]] constexpr bool is_plain_beat(std::string_view datagram) noexcept {
    return datagram == "WATCHDOG=1" || datagram == "WATCHDOG=1\n";
}

/// Decodes a datagram. An empty one is legal and says nothing. Where an assignment stands twice the first
/// counts. Allocates for a STATUS= only.
[[nodiscard]] Result<NotifyMessage, NotifyRefusal> parse_notify(std::string_view datagram);

/// The same assignments, one a line, from the pipe of VIGIL_HEARTBEAT_FD; an empty line is a beat. Holds at
/// most one unfinished line.
class NotifyPipe {
  public:
    struct News {
        /// What all lines that ended in this piece say together; of two values for one name the later counts.
        /// BARRIER=1 has no meaning in a pipe.
        NotifyMessage message;
        /// Lines dropped for their length or a NUL.
        std::uint32_t refused = 0;
    };

    /// Takes the bytes of one read, cut anywhere.
    [[nodiscard]] News feed(std::string_view bytes);

  private:
    void take_line(std::string_view line, News& news) const;

    std::string unfinished_;
    bool skipping_ = false;  ///< the present line is too long: dropped up to its end
};

}  // namespace vigil::protocol
