#include "core/deadline_queue.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "core/start_queue.hpp"

namespace vigil::core {
namespace {

TimePoint at(std::int64_t ns) {
    return TimePoint(std::chrono::nanoseconds(ns));
}

TEST_CASE("the earliest deadline is first, and nothing is due in an empty queue") {
    DeadlineQueue queue;
    CHECK(queue.next() == kNever);
    queue.set(TaskId{3}, at(30));
    queue.set(TaskId{1}, at(10));
    queue.set(TaskId{2}, at(20));
    CHECK(queue.first() == TaskId{1});
    queue.set(TaskId{1}, at(40));
    CHECK(queue.first() == TaskId{2});
    queue.set(TaskId{2}, kNever);
    CHECK(queue.first() == TaskId{3});
    CHECK(queue.due(TaskId{2}) == kNever);
    queue.set(TaskId{3}, kNever);
    queue.set(TaskId{1}, kNever);
    CHECK(queue.empty());
}

TEST_CASE("any sequence of settings keeps the order of a sorted map") {
    DeadlineQueue queue;
    std::map<std::uint32_t, TimePoint> model;
    std::mt19937 random(11);
    for (int i = 0; i < 50'000; ++i) {
        const auto task = static_cast<std::uint32_t>(random() % 40);
        if (random() % 4 == 0) {
            queue.set(TaskId{task}, kNever);
            model.erase(task);
        } else {
            const TimePoint due = at(static_cast<std::int64_t>(random() % 1000));
            queue.set(TaskId{task}, due);
            model[task] = due;
        }
        TimePoint earliest = kNever;
        for (const auto& [id, due] : model) earliest = std::min(earliest, due);
        REQUIRE(queue.next() == earliest);
        REQUIRE(queue.empty() == model.empty());
        if (!model.empty()) REQUIRE(model.at(static_cast<std::uint32_t>(queue.first())) == earliest);
    }
}

TEST_CASE("tasks wait in order of arrival, and one may leave from any place") {
    StartQueue queue;
    for (std::uint32_t task : {5U, 0U, 9U, 2U}) queue.push(TaskId{task});
    queue.remove(TaskId{9});
    CHECK(queue.front() == TaskId{5});
    queue.remove(TaskId{5});
    CHECK(queue.front() == TaskId{0});
    queue.push(TaskId{5});
    queue.remove(TaskId{2});
    queue.remove(TaskId{0});
    CHECK(queue.front() == TaskId{5});
    queue.remove(TaskId{5});
    CHECK(queue.empty());
}

}  // namespace
}  // namespace vigil::core
