#include "core/deadline_queue.hpp"

#include <utility>

#include "base/check.hpp"

namespace vigil::core {

void DeadlineQueue::set(TaskId task, TimePoint due) {
    const auto index = static_cast<std::size_t>(task);
    if (index >= places_.size()) {
        if (due == kNever) return;
        places_.resize(index + 1, kNowhere);
    }
    const Place place = places_[index];
    if (due == kNever) {
        if (place != kNowhere) remove(place);
        return;
    }
    if (place == kNowhere) {
        heap_.push_back({due, task});
        const auto last = static_cast<Place>(heap_.size() - 1);
        places_[index] = last;
        rise(last);
        return;
    }
    const TimePoint before = std::exchange(heap_[place].due, due);
    due < before ? rise(place) : sink(place);
}

TimePoint DeadlineQueue::due(TaskId task) const noexcept {
    const auto index = static_cast<std::size_t>(task);
    if (index >= places_.size() || places_[index] == kNowhere) return kNever;
    return heap_[places_[index]].due;
}

TaskId DeadlineQueue::first() const {
    VIGIL_CHECK(!heap_.empty(), "the first of no deadlines was asked for");
    return heap_.front().task;
}

void DeadlineQueue::remove(Place place) {
    places_[static_cast<std::size_t>(heap_[place].task)] = kNowhere;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (place == heap_.size()) return;
    put(place, last);
    rise(place);
    sink(places_[static_cast<std::size_t>(last.task)]);
}

void DeadlineQueue::put(Place place, Entry entry) noexcept {
    heap_[place] = entry;
    places_[static_cast<std::size_t>(entry.task)] = place;
}

void DeadlineQueue::rise(Place place) noexcept {
    const Entry entry = heap_[place];
    while (place > 0) {
        const Place parent = (place - 1) / 2;
        if (heap_[parent].due <= entry.due) break;
        put(place, heap_[parent]);
        place = parent;
    }
    put(place, entry);
}

void DeadlineQueue::sink(Place place) noexcept {
    const Entry entry = heap_[place];
    const auto size = static_cast<Place>(heap_.size());
    for (Place child = 2 * place + 1; child < size; child = 2 * place + 1) {
        if (child + 1 < size && heap_[child + 1].due < heap_[child].due) ++child;
        if (entry.due <= heap_[child].due) break;
        put(place, heap_[child]);
        place = child;
    }
    put(place, entry);
}

}  // namespace vigil::core
