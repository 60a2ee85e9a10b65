// Layer daemon. Which of the descriptors that have something is served next: the house's own first, then one
// of each user after the other, so that who has two hundred connections has no more of a turn than who has
// one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vigil::daemon {

class Watch;

/// Whose a descriptor is: a user's, or the house's.
enum class Lane : std::uint64_t {};
inline constexpr Lane kHouse{~std::uint64_t{0}};

/// A watch's place among those that wait to be served; a part of the watch.
struct LanePlace {
    Lane lane = kHouse;
    Watch* before = nullptr;
    Watch* after = nullptr;
    bool queued = false;
};

/// A place in a queue is a part of the watch: only come() may need memory, for the first watch of a lane.
class Lanes {
  public:
    void come(Watch& watch);
    void go(Watch& watch) noexcept;
    /// Behind all of its lane; without effect where it waits already.
    void queue(Watch& watch) noexcept;
    void unqueue(Watch& watch) noexcept;
    /// Takes out the next one; null: none waits.
    [[nodiscard]] Watch* next() noexcept;

  private:
    struct Queue {
        Lane lane = kHouse;
        std::size_t watches = 0;
        Watch* first = nullptr;
        Watch* last = nullptr;
    };
    [[nodiscard]] std::size_t index_of(Lane lane) const noexcept;

    std::vector<Queue> queues_;
    std::size_t next_ = 0;  ///< the one to be asked first
};

}  // namespace vigil::daemon
