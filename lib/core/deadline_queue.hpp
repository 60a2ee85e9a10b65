// Layer core. Which task is due next: an indexed binary heap with at most one entry a task.
//
// An entry may be earlier than the task's real deadline, never later. So a heartbeat, which only moves a
// deadline away, leaves the queue alone; whoever takes the entry when it comes due asks the task and sets it
// anew.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "core/state.hpp"
#include "core/time.hpp"

namespace vigil::core {

class DeadlineQueue {
  public:
    /// Makes `due` the task's entry; kNever takes the entry out. O(log n); allocates only when the queue or
    /// the greatest TaskId grows.
    void set(TaskId task, TimePoint due);
    /// The task's entry; kNever where it has none. O(1).
    [[nodiscard]] TimePoint due(TaskId task) const noexcept;

    [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
    /// The earliest entry; kNever when empty. O(1).
    [[nodiscard]] TimePoint next() const noexcept { return heap_.empty() ? kNever : heap_.front().due; }
    /// The task of the earliest entry. Not to be called on an empty queue.
    [[nodiscard]] TaskId first() const;

  private:
    using Place = std::uint32_t;
    static constexpr Place kNowhere = std::numeric_limits<Place>::max();
    struct Entry {
        TimePoint due;
        TaskId task;
    };

    void remove(Place place);
    void put(Place place, Entry entry) noexcept;
    void rise(Place place) noexcept;
    void sink(Place place) noexcept;

    std::vector<Entry> heap_;
    std::vector<Place> places_;  ///< by TaskId
};

}  // namespace vigil::core
