// Layer base. A mutex of four bytes, for what there are thousands of: std::mutex has forty.
#pragma once

#include <atomic>
#include <cstdint>

namespace vigil {

/// Meets the requirements of a Lockable. Neither recursive nor fair; to be held for moments.
class SmallMutex {
  public:
    SmallMutex() = default;
    SmallMutex(const SmallMutex&) = delete;
    SmallMutex& operator=(const SmallMutex&) = delete;

    [[nodiscard]] bool try_lock() noexcept {
        std::uint32_t expected = kFree;
        return state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                              std::memory_order_relaxed);
    }
    void lock() noexcept {
        if (try_lock()) return;
        // Whoever has waited cannot know whether others still do.
        while (state_.exchange(kAwaited, std::memory_order_acquire) != kFree)
            state_.wait(kAwaited, std::memory_order_relaxed);
    }
    void unlock() noexcept {
        if (state_.exchange(kFree, std::memory_order_release) == kAwaited) state_.notify_one();
    }

  private:
    static constexpr std::uint32_t kFree = 0;
    static constexpr std::uint32_t kHeld = 1;
    static constexpr std::uint32_t kAwaited = 2;
    std::atomic<std::uint32_t> state_{kFree};
};

}  // namespace vigil
