// Layer daemon. The control socket: accepts clients within bounds, checks each request's form and rights,
// hands it to the methods, and tells subscribers what changes.
#pragma once

#include <map>
#include <memory>

#include "control/carried.hpp"
#include "control/methods.hpp"
#include "control/session.hpp"
#include "control/world.hpp"
#include "linux/socket/unix_listener.hpp"

namespace vigil::daemon {

inline constexpr std::size_t kMaxClients = 256;

class ControlServer {
  public:
    ControlServer(os::UnixListener listener, World world);

    /// A change of state, for those who wait and those who listen.
    void changed(const core::effect::Announce& change);
    /// Everything is stopped: answers those who asked for it and takes no further client.
    void finished();
    /// True when nothing is left to be written to any client.
    [[nodiscard]] bool drained() const noexcept;
    /// Fills in what of the clients waits.
    void count_waiting(protocol::QueueDepths& queues) const;
    /// -1 where there is none.
    [[nodiscard]] int listener_fd() const noexcept { return listener_.fd(); }
    /// Makes the socket anew if its path was removed.
    void ensure_in_place();

    // For a daemon that goes on as another program.
    /// While held no request is taken.
    void hold(bool held);
    /// All clients as they go over; those with too much to read are dropped.
    [[nodiscard]] CarriedClients carry();
    /// Takes over the clients of a predecessor, held, and the orders that they wait for: of tasks that the
    /// supervisor has by now. `report` answers who had ordered the upgrade.
    void restore(const CarriedClients& carried, const protocol::UpgradeReport& report);

  private:
    void accept();
    void open_session(UniqueFd fd);
    Session& add_session(UniqueFd fd, os::Peer peer);
    [[nodiscard]] std::vector<Session*> all_sessions();
    void request(Session& session, std::string_view line);
    void line_too_long(Session& session);
    void tell_listeners(const core::effect::Announce& change);
    void close(Session& session);
    [[nodiscard]] bool has_room_for(int fd);
    [[nodiscard]] bool make_room(uid_t newcomer);
    void arm_timer();
    void say_denied(Session& session, const protocol::MethodInfo& method);

    World world_;
    os::UnixListener listener_;
    std::map<SessionId, std::unique_ptr<Session>> sessions_;
    std::map<SessionId, std::unique_ptr<Session>> ended_;  ///< until the loop's next turn
    std::vector<std::pair<uid_t, int>> seats_given_;       ///< since accept() was called, when all were taken
    Methods methods_;
    std::uint64_t last_session_ = 0;
    std::uint64_t last_event_ = 0;
    bool held_ = false;
    std::unique_ptr<Watch> watch_;
    Timer timer_;
};

}  // namespace vigil::daemon
