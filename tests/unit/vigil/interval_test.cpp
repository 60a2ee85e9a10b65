// How often a worker is asked to beat, out of the environment alone.
#include <doctest/doctest.h>
#include <unistd.h>
#include <vigil.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

struct Environment {
    const char* interval = nullptr;
    const char* watchdog = nullptr;
    const char* pid = nullptr;
};

// The interval of a worker started with this environment. Nobody listens on the socket: nothing is sent.
std::uint64_t interval_under(const Environment& environment) {
    const auto set = [](const char* name, const char* value) {
        value ? setenv(name, value, 1) : unsetenv(name);
    };
    set("NOTIFY_SOCKET", "@libvigil-interval-test");
    set("VIGIL_HEARTBEAT_INTERVAL_USEC", environment.interval);
    set("WATCHDOG_USEC", environment.watchdog);
    set("WATCHDOG_PID", environment.pid);
    vigil_handle* handle = nullptr;
    REQUIRE(vigil_open(&handle) == 0);
    const std::uint64_t interval = vigil_interval(handle);
    vigil_close(handle);
    return interval;
}

constexpr const char* kGarbage[] = {"",
                                    "0",
                                    "-1",
                                    "+1",
                                    " 1",
                                    "1 ",
                                    "1s",
                                    "0x10",
                                    "1e6",
                                    "1.5",
                                    "none",
                                    "18446744073709551615",
                                    "18446744073709551616",
                                    "99999999999999999999999999"};

}  // namespace

TEST_CASE("nobody who asks for beats means an interval of 0") {
    CHECK(interval_under({}) == 0);
}

TEST_CASE("the interval asked for is taken as it is") {
    CHECK(interval_under({.interval = "250000", .watchdog = "3000000"}) == 250'000);
    CHECK(interval_under({.interval = "250000"}) == 250'000);
    CHECK(interval_under({.interval = "007"}) == 7);
    CHECK(interval_under({.interval = "18446744073709551614"}) == UINT64_MAX - 1);
}

TEST_CASE("a watchdog alone asks for a beat in every third of its time") {
    CHECK(interval_under({.watchdog = "3000000"}) == 1'000'000);
    CHECK(interval_under({.watchdog = "2000000"}) == 666'666);
}

TEST_CASE("a third of almost nothing is still a beat") {
    for (const char* watchdog : {"1", "2", "3"}) CHECK(interval_under({.watchdog = watchdog}) == 1);
}

TEST_CASE("an interval that is no positive number counts as not set") {
    for (const char* garbage : kGarbage) {
        CAPTURE(garbage);
        CHECK(interval_under({.interval = garbage, .watchdog = "3000000"}) == 1'000'000);
        CHECK(interval_under({.interval = garbage}) == 0);
    }
}

TEST_CASE("a watchdog time that is no positive number counts as not set") {
    for (const char* garbage : kGarbage) {
        CAPTURE(garbage);
        CHECK(interval_under({.watchdog = garbage}) == 0);
    }
}

TEST_CASE("a watchdog for this process or for any is ours") {
    const std::string self = std::to_string(getpid());
    CHECK(interval_under({.interval = "5", .pid = self.c_str()}) == 5);
    CHECK(interval_under({.watchdog = "15", .pid = self.c_str()}) == 5);
    CHECK(interval_under({.watchdog = "15", .pid = ""}) == 5);
}

TEST_CASE("a watchdog for another process is not ours") {
    const std::string parent = std::to_string(getppid());
    const std::string wrapped =
        std::to_string((std::uint64_t{1} << 32) + static_cast<std::uint64_t>(getpid()));
    for (const std::string& pid :
         {parent, wrapped, std::string("0"), std::string("-1"), std::string("self")}) {
        CAPTURE(pid);
        CHECK(interval_under({.interval = "5", .watchdog = "15", .pid = pid.c_str()}) == 0);
    }
}
