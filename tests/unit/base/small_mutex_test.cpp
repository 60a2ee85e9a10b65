#include "base/small_mutex.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <thread>
#include <vector>

using vigil::SmallMutex;

TEST_CASE("a mutex that is held is not had by another, and is had once it is free") {
    SmallMutex mutex;
    {
        const std::scoped_lock lock(mutex);
        CHECK_FALSE(mutex.try_lock());
    }
    CHECK(mutex.try_lock());
    mutex.unlock();
}

TEST_CASE("of many threads one at a time has the mutex, and each gets it") {
    constexpr int kThreads = 4;
    constexpr int kRounds = 5000;
    SmallMutex mutex;
    int count = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i)
            threads.emplace_back([&] {
                for (int round = 0; round < kRounds; ++round) {
                    const std::scoped_lock lock(mutex);
                    const int before = count;
                    if (round % 64 == 0) std::this_thread::yield();
                    count = before + 1;
                }
            });
    }
    CHECK(count == kThreads * kRounds);
}

TEST_CASE("a thread that waits goes on when the mutex is given up") {
    SmallMutex mutex;
    mutex.lock();
    std::jthread waiting([&] { const std::scoped_lock lock(mutex); });
    mutex.unlock();
    waiting.join();
    CHECK(mutex.try_lock());
    mutex.unlock();
}
