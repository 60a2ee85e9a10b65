// Layer linux. One epoll instance for the descriptors of all tasks (pidfds, notify sockets, pipes): 24 bytes
// a descriptor, against 160 for a handle of an event loop. The loop polls the epoll descriptor itself.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/state.hpp"

namespace vigil::os {

enum class WatchKind : std::uint8_t { exit, stop_command, notify, heartbeat_pipe, spawner, children };

struct WatchTag {
    core::TaskId task{};
    core::Generation generation{};
    WatchKind kind = WatchKind::exit;

    friend bool operator==(const WatchTag&, const WatchTag&) = default;
};

/// One descriptor that has something. `events` as in epoll_ctl(2): EPOLLIN, EPOLLHUP, ...
struct Ready {
    WatchTag tag;
    std::uint32_t events = 0;
};

/// The most that one WatchSet::wait() hands out.
inline constexpr std::size_t kMostReady = 256;

/// Not thread-safe. Level-triggered: what is not read is handed out again, after all others that are ready.
class WatchSet {
  public:
    [[nodiscard]] static Result<WatchSet> create();

    /// Readable when wait() has something to give. Owned by the set.
    [[nodiscard]] int fd() const noexcept { return epoll_.get(); }
    /// Watches `fd`, which stays the caller's. `events`: EPOLLIN and such; EPOLLHUP and EPOLLERR always come.
    [[nodiscard]] Result<void> add(int fd, WatchTag tag, std::uint32_t events);
    /// Replaces the events of a watched descriptor; 0 leaves EPOLLHUP and EPOLLERR.
    [[nodiscard]] Result<void> change(int fd, std::uint32_t events);
    /// To be called before close(2): a copy of the descriptor elsewhere would keep the entry alive, and the
    /// number is used again. Not watched (or -1): nothing happens.
    void remove(int fd) noexcept;
    /// Fills `out` from the front with what is ready now and returns how many, at most kMostReady; never
    /// blocks. As many as that, or a full `out`, means there may be more. A batch is a snapshot: acting on
    /// one entry may outdate the tag of a later one, so check its generation.
    [[nodiscard]] std::size_t wait(std::span<Ready> out);
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

  private:
    struct Entry {
        WatchTag tag;
        bool watched = false;
    };
    explicit WatchSet(UniqueFd epoll) noexcept : epoll_(std::move(epoll)) {}

    UniqueFd epoll_;
    std::vector<Entry> by_fd_;
    std::size_t count_ = 0;
};

}  // namespace vigil::os
