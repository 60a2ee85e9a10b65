#include "loop/lanes.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/unique_fd.hpp"
#include "loop/loop.hpp"

using namespace std::chrono_literals;
using namespace vigil;
using daemon::Lane;
using daemon::Loop;
using daemon::Watch;

namespace {

/// Descriptors that have something to read from the begin on and are never read.
struct Ready {
    UniqueFd a, b;
    std::optional<Watch> watch;

    Ready(Loop& loop, std::function<void()> served, Lane lane) {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
        a.reset(fds[0]);
        b.reset(fds[1]);
        REQUIRE(::write(b.get(), "x", 1) == 1);
        watch.emplace(
            loop, a.get(), [served = std::move(served)](int) { served(); }, lane);
        watch->interest(UV_READABLE);
    }
};

struct Fixture {
    Loop loop;
    std::string order;  ///< a letter for each time that one was served
    std::deque<Ready> all;

    void given(char letter, Lane lane, std::chrono::milliseconds takes = 0ms) {
        all.emplace_back(
            loop,
            [this, letter, takes] {
                order += letter;
                for (const auto until = std::chrono::steady_clock::now() + takes;
                     std::chrono::steady_clock::now() < until;) {
                }
            },
            lane);
    }
    void turn() { uv_run(loop.raw(), UV_RUN_NOWAIT); }
    [[nodiscard]] std::ptrdiff_t count(char letter) const {
        return std::count(order.begin(), order.end(), letter);
    }
};

}  // namespace

TEST_CASE("nasty 65: a user with three connections has a turn after each of a user with two hundred") {
    Fixture f;
    for (int i = 0; i < 200; ++i) f.given('a', Lane{1}, 1ms);
    for (int i = 0; i < 3; ++i) f.given('b', Lane{2}, 1ms);
    while (f.order.size() < 100) f.turn();
    // However many fit into a turn, they alternate.
    for (std::size_t i = 0; i + 1 < 100; ++i) CHECK(f.order[i] != f.order[i + 1]);
}

TEST_CASE("nasty 65: the house's own descriptors are served first, in every turn") {
    Fixture f;
    for (int i = 0; i < 50; ++i) f.given('a', Lane{1}, 1ms);
    f.given('H', daemon::kHouse);
    for (int i = 0; i < 10; ++i) {
        const std::size_t before = f.order.size();
        f.turn();
        REQUIRE(f.order.size() > before);
        CHECK(f.order[before] == 'H');
    }
}

TEST_CASE("nasty 65: a turn ends with the one that has used it up, and the next goes on behind it") {
    Fixture f;
    for (const char letter : std::string("abcd")) f.given(letter, Lane{1}, 6ms);
    for (int i = 0; i < 8; ++i) f.turn();
    CHECK(f.order == "abcdabcd");
}

TEST_CASE(
    "a watch that goes while it waits for its turn is not served, and neither is one without interest") {
    Fixture f;
    f.given('a', Lane{1}, 6ms);
    f.given('b', Lane{1});
    f.given('c', Lane{1});
    f.turn();
    f.all[1].watch.reset();
    f.all[2].watch->interest(0);
    f.turn();
    f.turn();
    CHECK(f.order == "aaa");
    f.all[2].watch->interest(UV_READABLE);
    f.turn();
    f.turn();
    CHECK(f.count('c') >= 1);
}
