// A wait that is bounded stays so when the wall clock is set. A program of its own, since it sets its own
// wall clock.
#include "base/bounded_wait.hpp"

#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <thread>

using namespace std::chrono_literals;

namespace {
/// By how much the wall clock of this program goes wrong, in seconds.
std::atomic<long> ahead{0};
}  // namespace

// In place of the one of libc, for libstdc++ too. To the program it is as if the wall clock were set the
// other way in the moment after it was looked at.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const long result = ::syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += ahead;
    return static_cast<int>(result);
}

namespace {

struct Waiting {
    std::mutex mutex;
    std::condition_variable wake;
    bool done = false;

    bool wait(std::chrono::nanoseconds limit) {
        std::unique_lock lock(mutex);
        return vigil::wait_at_most(wake, lock, limit, [this] { return done; });
    }
    void finish() {
        const std::scoped_lock lock(mutex);
        done = true;
        wake.notify_all();
    }
};

constexpr long kYear = 365L * 24 * 3600;

}  // namespace

TEST_CASE("a bounded wait ends when it is told, and at its limit when it is not") {
    Waiting waiting;
    CHECK_FALSE(waiting.wait(10ms));
    std::thread other([&] { waiting.finish(); });
    CHECK(waiting.wait(1h));
    other.join();
}

TEST_CASE(
    "nasty 46: a wait for another thread is over at its limit though the wall clock is set back by a year") {
#ifdef __SANITIZE_THREAD__
    MESSAGE("SKIPPED: under ThreadSanitizer such a wait is by the wall clock");
    return;
#endif
    Waiting waiting;
    std::atomic<bool> over{false};
    // Ends the wait if the limit does not.
    std::thread net([&] {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (!over && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(10ms);
        waiting.finish();
    });
    ahead = kYear;
    CHECK_FALSE(waiting.wait(50ms));
    ahead = 0;
    over = true;
    net.join();
}
