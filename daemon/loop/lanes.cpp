#include "loop/lanes.hpp"

#include <algorithm>

#include "loop/readiness.hpp"

namespace vigil::daemon {

std::size_t Lanes::index_of(Lane lane) const noexcept {
    const auto found =
        std::find_if(queues_.begin(), queues_.end(), [&](const Queue& queue) { return queue.lane == lane; });
    return static_cast<std::size_t>(found - queues_.begin());
}

void Lanes::come(Watch& watch) {
    const std::size_t index = index_of(watch.place_.lane);
    if (index == queues_.size()) queues_.push_back({.lane = watch.place_.lane});
    ++queues_[index].watches;
}

void Lanes::go(Watch& watch) noexcept {
    unqueue(watch);
    const std::size_t index = index_of(watch.place_.lane);
    if (--queues_[index].watches != 0) return;
    queues_.erase(queues_.begin() + static_cast<std::ptrdiff_t>(index));
    if (next_ > index) --next_;
}

void Lanes::queue(Watch& watch) noexcept {
    LanePlace& place = watch.place_;
    if (place.queued) return;
    Queue& queue = queues_[index_of(place.lane)];
    place.queued = true;
    place.before = queue.last;
    (queue.last != nullptr ? queue.last->place_.after : queue.first) = &watch;
    queue.last = &watch;
}

void Lanes::unqueue(Watch& watch) noexcept {
    LanePlace& place = watch.place_;
    if (!place.queued) return;
    Queue& queue = queues_[index_of(place.lane)];
    (place.before != nullptr ? place.before->place_.after : queue.first) = place.after;
    (place.after != nullptr ? place.after->place_.before : queue.last) = place.before;
    place.before = place.after = nullptr;
    place.queued = false;
}

Watch* Lanes::next() noexcept {
    const auto take = [this](Queue& queue) {
        Watch* const first = queue.first;
        if (first != nullptr) unqueue(*first);
        return first;
    };
    if (const std::size_t house = index_of(kHouse); house != queues_.size())
        if (Watch* const found = take(queues_[house])) return found;
    for (std::size_t i = 0; i < queues_.size(); ++i) {
        const std::size_t index = (next_ + i) % queues_.size();
        if (Watch* const found = take(queues_[index])) {
            next_ = (index + 1) % queues_.size();
            return found;
        }
    }
    return nullptr;
}

}  // namespace vigil::daemon
