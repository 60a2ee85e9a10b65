#include "loop/loop.hpp"

#include <doctest/doctest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <new>
#include <optional>
#include <thread>

#include "base/unique_fd.hpp"

using namespace std::chrono_literals;
using namespace vigil;
using daemon::Loop;
using daemon::SignalWatch;
using daemon::Timer;
using daemon::Watch;

namespace {

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

struct Pair {
    UniqueFd a, b;
    Pair() {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
        a.reset(fds[0]);
        b.reset(fds[1]);
    }
};

}  // namespace

TEST_CASE("a timer never fires before its time, wherever in a millisecond that lies") {
    Loop loop;
    int early = 0;
    int left = 200;
    core::TimePoint due{};
    std::optional<Timer> timer;
    const auto arm_next = [&] {
        // Armed late in a millisecond, too: timers fire at its beginning.
        for (const auto until = clock_now() + std::chrono::microseconds(left * 13 % 1000);
             clock_now() < until;) {
        }
        due = clock_now() + 1ms + std::chrono::microseconds(left * 7 % 1000);
        timer->arm(due);
    };
    timer.emplace(loop, [&] {
        if (clock_now() < due) ++early;
        if (--left == 0) return loop.stop();
        arm_next();
    });
    // Other events keep the loop turning, so that it looks at its timers at every moment.
    std::function<void()> spin = [&] { loop.defer(spin); };
    spin();
    arm_next();
    loop.run();
    CHECK(early == 0);
}

TEST_CASE("a timer that is armed anew fires once, at the later time") {
    Loop loop;
    int count = 0;
    Timer timer(loop, [&] { ++count; });
    Timer end(loop, [&] { loop.stop(); });
    timer.arm(clock_now() + 1ms);
    timer.arm(clock_now() + 5ms);
    end.arm(clock_now() + 30ms);
    loop.run();
    CHECK(count == 1);
}

TEST_CASE("timers that are due again as soon as they have been seen to leave descriptors their turn") {
    Loop loop;
    Pair pair;
    int fired = 0;
    bool read = false;
    std::optional<Timer> past, soon;
    const auto see_to = [&](std::optional<Timer>& timer, core::Duration in) {
        // Longer than until the next one is due.
        for (const auto until = clock_now() + 3ms; clock_now() < until;) {
        }
        if (++fired >= 100) return loop.stop();
        timer->arm(clock_now() + in);
    };
    past.emplace(loop, [&] { see_to(past, -1ms); });
    soon.emplace(loop, [&] { see_to(soon, 1ms); });
    Watch watch(loop, pair.a.get(), [&](int) {
        read = true;
        loop.stop();
    });
    watch.interest(UV_READABLE);
    REQUIRE(::write(pair.b.get(), "x", 1) == 1);
    past->arm(clock_now());
    soon->arm(clock_now());
    loop.run();
    CHECK(read);
    CHECK(fired < 100);
}

TEST_CASE("an object may be destroyed from within its own callback by deferring it") {
    Loop loop;
    Pair pair;
    std::optional<Watch> watch;
    watch.emplace(loop, pair.a.get(), [&](int) {
        watch->interest(0);
        loop.defer([&] {
            watch.reset();
            loop.stop();
        });
    });
    watch->interest(UV_READABLE);
    REQUIRE(::write(pair.b.get(), "x", 1) == 1);
    loop.run();
    CHECK_FALSE(watch.has_value());
}

TEST_CASE("a watch that is gone is not called, though its descriptor was ready") {
    Loop loop;
    Pair pair;
    bool called = false;
    {
        Watch watch(loop, pair.a.get(), [&](int) { called = true; });
        watch.interest(UV_READABLE);
        REQUIRE(::write(pair.b.get(), "x", 1) == 1);
    }
    Timer end(loop, [&] { loop.stop(); });
    end.arm(clock_now() + 5ms);
    loop.run();
    CHECK_FALSE(called);
}

TEST_CASE("signals arrive in the loop") {
    Loop loop;
    bool arrived = false;
    SignalWatch watch(loop, SIGUSR1, [&] {
        arrived = true;
        loop.stop();
    });
    REQUIRE(::kill(::getpid(), SIGUSR1) == 0);
    loop.run();
    CHECK(arrived);
}

TEST_CASE("work aside is done in another thread and reported in the loop") {
    Loop loop;
    const pid_t here = ::gettid();
    pid_t worker = 0;
    pid_t reporter = 0;
    loop.aside([&] { worker = ::gettid(); },
               [&] {
                   reporter = ::gettid();
                   loop.stop();
               });
    loop.run();
    CHECK(worker != here);
    CHECK(reporter == here);
}

TEST_CASE(
    "a turn is counted from what ended the wait to the next one, whatever it was; waiting does not count") {
    Loop loop;
    Pair pair;
    int left = 3;
    const auto busy = [] {
        for (const auto until = clock_now() + 5ms; clock_now() < until;) {
        }
    };
    std::optional<Timer> timer;
    const auto go_on = [&] {
        busy();
        if (--left == 0) return loop.stop();
        timer->arm(clock_now() + 50ms);
    };
    timer.emplace(loop, [&] {
        busy();
        CHECK(::write(pair.b.get(), "x", 1) == 1);
    });
    Watch watch(loop, pair.a.get(), [&](int) {
        char byte;
        CHECK(::read(pair.a.get(), &byte, 1) == 1);
        go_on();
    });
    watch.interest(UV_READABLE);
    timer->arm(clock_now());
    const auto began = clock_now();
    loop.run();
    const auto ran = clock_now() - began;

    const auto& turns = loop.meter().turns();
    // Each round has one turn of the timer and one of the descriptor.
    CHECK(turns.count() >= 5);
    CHECK(turns.quantile(0.5) >= 5ms);
    CHECK(ran >= 100ms);
    CHECK(turns.max() < ran - 50ms);
    CHECK(loop.meter().recent_turns(clock_now()).count() == turns.count());
    CHECK(loop.meter().lateness().count() == 3);
}

TEST_CASE("of a turn that slept and one that worked, only the second is the daemon's own work") {
    daemon::LoopMeter meter;
    const auto turn = [&](auto work) {
        meter.awake();
        work();
        meter.wait();
    };
    // The first one is told all that this thread has done before.
    turn([] { std::this_thread::sleep_for(2ms); });
    turn([] { std::this_thread::sleep_for(40ms); });
    CHECK(meter.turns().quantile(1) >= 40ms);
    const auto slept = meter.turns_cpu().max();
    turn([&] {
        const auto until = os::processor_time_of_thread() + slept + 50ms;
        while (os::processor_time_of_thread() < until) {
        }
    });
    CHECK(meter.turns_cpu().count() == 3);
    CHECK(meter.turns_cpu().max() >= 50ms);
    CHECK(meter.turns_cpu().quantile(0.3) < 40ms);
}

TEST_CASE("work aside that runs out of memory is over, and what comes after it is done all the same") {
    Loop loop;
    bool set = false;
    bool later = false;
    loop.aside(
        [&] {
            throw std::bad_alloc();
            set = true;
        },
        [&] {
            CHECK_FALSE(set);
            CHECK(loop.asides() == 0);
            loop.aside([&] { later = true; }, [&] { loop.stop(); });
        });
    loop.run();
    CHECK(later);
}

TEST_CASE(
    "a descriptor that is watched anew under the number of one that is gone is not told of the other's "
    "news") {
    Loop loop;
    Pair first;
    Pair second;
    int calls = 0;
    std::optional<Watch> old;
    std::optional<Watch> fresh;
    Watch trigger(loop, second.a.get(), [&](int) {
        // In the same batch as the other's news, if the kernel hands this out first.
        trigger.interest(0);
        old.reset();
        fresh.emplace(loop, first.a.get(), [&](int ready) {
            CHECK(ready == UV_WRITABLE);
            ++calls;
            loop.stop();
        });
        fresh->interest(UV_WRITABLE);
    });
    old.emplace(loop, first.a.get(), [&](int) { old->interest(0); });
    trigger.interest(UV_READABLE);
    old->interest(UV_READABLE);
    REQUIRE(::write(second.b.get(), "x", 1) == 1);
    REQUIRE(::write(first.b.get(), "x", 1) == 1);
    loop.run();
    CHECK(calls == 1);
}

TEST_CASE("the descriptors of tasks keep the loop going as long as somebody is told of them") {
    Loop loop;
    Pair pair;
    const os::WatchTag tag{.task = core::TaskId{7}};
    REQUIRE(loop.task_watches().add(pair.a.get(), tag, EPOLLIN).ok());
    loop.run();  // nobody is told

    int turns = 0;
    loop.on_task_watches([&] {
        std::array<os::Ready, 4> ready;
        REQUIRE(loop.task_watches().wait(ready) == 1);
        CHECK(ready[0].tag == tag);
        // What is not read is handed out again.
        if (++turns == 3) loop.stop();
    });
    loop.defer([&] { REQUIRE(::write(pair.b.get(), "x", 1) == 1); });
    loop.run();
    CHECK(turns == 3);
    loop.on_task_watches(nullptr);
    loop.run();  // nobody is told any more
    loop.task_watches().remove(pair.a.get());
}
