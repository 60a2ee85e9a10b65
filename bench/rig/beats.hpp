// Beats in the workers' place, as fast as they can be sent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace vigil::bench {

/// A worker whose beats are sent for it: its notify socket, and its pid, which the datagrams bear (root may
/// say so).
struct Beater {
    std::string socket;
    pid_t pid = 0;
};

struct Burst {
    std::uint64_t sent = 0;
    double seconds = 0;  ///< until the last of them was read
};

/// One connected socket for each, so that a datagram is as cheap to send as it can be.
class BeatSender {
  public:
    explicit BeatSender(const std::vector<Beater>& beaters);

    /// Sends to each in turn for so long, passing over whose queue is full; then waits until all is read.
    /// Gives up if that is not so within 10 s.
    Burst send_for(double seconds);

  private:
    bool send_to(std::size_t which);
    bool all_read() const;

    std::vector<UniqueFd> sockets_;
    std::vector<pid_t> pids_;
};

/// Leaves all threads of a process on one processor.
void pin(pid_t pid, unsigned processor);

}  // namespace vigil::bench
