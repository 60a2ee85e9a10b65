// Layer keeper. The serving side: one thread, one poll(2), nothing that waits for a client.
//
// The order of things that a client may rely on: requests of one connection are carried out in the order in
// which they were sent, also those that a client left behind when it was killed; and a List begins when
// everything that was sent on any connection before it has been carried out. So who lists after the death of
// another daemon finds whatever that one has put.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "keeper/message.hpp"
#include "keeper/table.hpp"
#include "linux/socket/descriptor_passing.hpp"

namespace vigil::keeper {

struct Limits {
    std::size_t entries = 65536;
    /// Served at a time, at most kMostConnections; others wait to be accepted.
    std::size_t connections = 16;
    /// 0: as many as the limit on open files leaves.
    std::size_t descriptors = 0;
};
inline constexpr std::size_t kMostConnections = 64;

class Keeper {
  public:
    /// Takes a listening, non-blocking SOCK_SEQPACKET socket. Raises RLIMIT_NOFILE to the hard limit.
    [[nodiscard]] static Result<Keeper> create(UniqueFd listener, Limits limits = {});

    /// Until a client ends it. An error is one of poll(2), and leaves nothing but to end.
    [[nodiscard]] Result<void> run();
    /// Waits up to `limit` (below 0: without end) and does what there is to do. False once it was ended.
    [[nodiscard]] Result<bool> turn(std::chrono::milliseconds limit);

    [[nodiscard]] Status status() const;

  private:
    /// The answer that a connection waits for: one at a time, so a client that does not read costs nothing.
    enum class Owed : std::uint8_t { nothing, welcome, wrong_protocol, list, status };
    struct Connection {
        UniqueFd socket;  ///< none once it is over
        bool greeted = false;
        Owed owed = Owed::nothing;
        bool paused = false;  ///< the kernel is short of something; tried again a little later
        // Of a list:
        bool begun = false;
        std::string last_key;  ///< of what was sent: entries may come and go meanwhile
        std::uint64_t sent = 0;
    };

    Keeper(UniqueFd listener, Limits limits, std::size_t descriptors);
    void accept_waiting();
    void receive(Connection& from, std::size_t most);
    void handle(Connection& from, std::string_view bytes, os::ReceivedPacket& packet);
    void put(std::string_view key, os::ReceivedPacket& packet);
    void owe(Connection& to, Owed owed);
    void end(Connection& by);
    void settle();
    void answer(Connection& to);
    void answer_list(Connection& to);
    [[nodiscard]] bool send(Connection& to, const Answer& answer, std::span<const UniqueFd> descriptors = {});

    UniqueFd listener_;
    bool listener_paused_ = false;
    std::size_t most_connections_;
    Table table_;
    std::vector<Connection> connections_;  ///< never reallocated
    Status counters_;
};

}  // namespace vigil::keeper
