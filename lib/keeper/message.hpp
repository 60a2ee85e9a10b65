// Layer keeper. The packets between the daemon and its keeper, bytes <-> values. No sockets and no clock.
//
//   packet   = kind body                      one packet of a SOCK_SEQPACKET socket, at most 128 bytes
//   kind     = one byte, see `wire`
//   numbers  = little-endian, two bytes (protocol) or eight
//   key      = 1 to 120 bytes of any value, to the end of the packet
//
// Hello, its two answers and End keep their form in every protocol, so that programs of different ages can
// tell each other that they are, and a keeper of any age can be ended.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace vigil::keeper {

inline constexpr std::uint16_t kProtocol = 1;
inline constexpr std::size_t kMostKey = 120;
inline constexpr std::size_t kMostDescriptors = 4;  ///< of one entry
inline constexpr std::size_t kMostPacket = 128;

/// First bytes of the packets.
namespace wire {
inline constexpr std::uint8_t kHello = 1;
inline constexpr std::uint8_t kPut = 2;
inline constexpr std::uint8_t kDrop = 3;
inline constexpr std::uint8_t kList = 4;
inline constexpr std::uint8_t kAskStatus = 5;
inline constexpr std::uint8_t kEnd = 6;
inline constexpr std::uint8_t kWelcome = 0x81;
inline constexpr std::uint8_t kWrongProtocol = 0x82;
inline constexpr std::uint8_t kEntry = 0x84;
inline constexpr std::uint8_t kListed = 0x85;
inline constexpr std::uint8_t kStatus = 0x86;
inline constexpr std::uint8_t kEnded = 0x87;
/// Follows the kind of a Hello.
inline constexpr std::string_view kGreeting = "vigil-keeper";
}  // namespace wire

/// What a keeper has and has had to do with. Counters are since its start.
struct Status {
    std::uint64_t pid = 0;  ///< the keeper's; SO_PEERCRED would name whoever made its socket
    std::uint64_t entries = 0;
    std::uint64_t descriptors = 0;
    std::uint64_t most_entries = 0;
    std::uint64_t most_descriptors = 0;
    std::uint64_t refused = 0;      ///< puts for which there was no room; their descriptors were closed
    std::uint64_t malformed = 0;    ///< packets that were no request, or not in their turn
    std::uint64_t turned_away = 0;  ///< connections of other users

    friend bool operator==(const Status&, const Status&) = default;
};

namespace request {
struct Hello {
    std::uint16_t protocol = kProtocol;
};
/// With 1 to 4 descriptors. Replaces an entry of the same key. Not answered.
struct Put {
    std::string_view key;
};
/// Not answered; no harm where there is no such entry.
struct Drop {
    std::string_view key;
};
/// Answered by an Entry for each entry, then Listed.
struct List {};
struct AskStatus {};
/// Closes everything, answers Ended, and ends the keeper.
struct End {};
}  // namespace request
using Request = std::variant<request::Hello, request::Put, request::Drop, request::List, request::AskStatus,
                             request::End>;

namespace answer {
struct Welcome {
    std::uint16_t protocol = kProtocol;
};
/// The keeper speaks this protocol and not the one of the Hello.
struct WrongProtocol {
    std::uint16_t protocol = kProtocol;
};
/// With the descriptors.
struct Entry {
    std::string_view key;
};
struct Listed {
    std::uint64_t count = 0;  ///< of Entry packets before this one
    Status status;
};
struct StatusNow {
    Status status;
};
struct Ended {};
}  // namespace answer
using Answer = std::variant<answer::Welcome, answer::WrongProtocol, answer::Entry, answer::Listed,
                            answer::StatusNow, answer::Ended>;

/// One packet's bytes, in place.
class Packet {
  public:
    explicit Packet(std::uint8_t kind) noexcept { append(static_cast<char>(kind)); }
    [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }
    void append(char byte) noexcept { bytes_[size_++] = byte; }
    void append(std::string_view bytes) noexcept;
    void append_number(std::uint64_t number, std::size_t bytes) noexcept;

  private:
    std::array<char, kMostPacket> bytes_;
    std::size_t size_ = 0;
};

[[nodiscard]] constexpr bool is_key(std::string_view key) noexcept {
    return !key.empty() && key.size() <= kMostKey;
}

/// Keys must be keys.
[[nodiscard]] Packet encode(const Request& request);
[[nodiscard]] Packet encode(const Answer& answer);

/// Nothing for bytes that are no request. Keys point into `packet`. A Hello of any protocol is one.
[[nodiscard]] std::optional<Request> parse_request(std::string_view packet);
/// The same for the keeper's side of the conversation.
[[nodiscard]] std::optional<Answer> parse_answer(std::string_view packet);

}  // namespace vigil::keeper
