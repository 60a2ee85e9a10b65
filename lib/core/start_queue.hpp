// Layer core. The tasks that wait until one more may be `starting`, first come first served.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "base/check.hpp"
#include "core/state.hpp"

namespace vigil::core {

/// A list threaded through an array indexed by TaskId, so that an order that cancels a wait takes the task
/// out of the middle in O(1) and leaves nothing behind.
class StartQueue {
  public:
    [[nodiscard]] bool empty() const noexcept { return first_ == kNone; }
    [[nodiscard]] TaskId front() const {
        VIGIL_CHECK(!empty(), "the front of an empty queue was asked for");
        return TaskId{first_};
    }

    /// The task must not be queued already.
    void push(TaskId task) {
        const auto index = static_cast<Index>(task);
        if (index >= links_.size()) links_.resize(std::size_t{index} + 1);
        links_[index] = {last_, kNone};
        (last_ == kNone ? first_ : links_[last_].next) = index;
        last_ = index;
    }

    /// The task must be queued.
    void remove(TaskId task) {
        const Link link = links_[static_cast<Index>(task)];
        (link.previous == kNone ? first_ : links_[link.previous].next) = link.next;
        (link.next == kNone ? last_ : links_[link.next].previous) = link.previous;
    }

  private:
    using Index = std::uint32_t;
    static constexpr Index kNone = std::numeric_limits<Index>::max();
    struct Link {
        Index previous = kNone;
        Index next = kNone;
    };

    Index first_ = kNone;
    Index last_ = kNone;
    std::vector<Link> links_;
};

}  // namespace vigil::core
