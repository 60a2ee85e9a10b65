#include "base/check.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "base/result.hpp"

namespace {

struct Ending {
    int status = 0;
    std::string said;
};

/// Runs `body` in a child, because a failing check ends the process, and gives its wait status and its
/// stderr.
template <typename Body>
Ending in_a_child(Body body) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        std::signal(SIGABRT, SIG_DFL);  // doctest's own handler would report the child as a failed test
        ::dup2(ends[1], 2);
        body();
        ::_exit(0);
    }
    ::close(ends[1]);
    Ending ending;
    std::array<char, 1024> buffer{};
    for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
        ending.said.append(buffer.data(), static_cast<std::size_t>(got));
    ::close(ends[0]);
    REQUIRE(::waitpid(child, &ending.status, 0) == child);
    return ending;
}

}  // namespace

TEST_CASE("a broken invariant aborts and names its place, its expression and its meaning") {
    const Ending ending = in_a_child([] { VIGIL_CHECK(1 + 1 == 3, "arithmetic holds"); });
    REQUIRE(WIFSIGNALED(ending.status));
    CHECK(WTERMSIG(ending.status) == SIGABRT);
    CHECK(ending.said.find("check_test.cpp:") != std::string::npos);
    CHECK(ending.said.find("1 + 1 == 3") != std::string::npos);
    CHECK(ending.said.find("arithmetic holds") != std::string::npos);
}

TEST_CASE("an invariant that holds costs nothing and says nothing") {
    const Ending ending = in_a_child([] { VIGIL_CHECK(true, "truth"); });
    CHECK(WIFEXITED(ending.status));
    CHECK(ending.said.empty());
}

TEST_CASE("a message longer than the buffer is cut, not overrun") {
    const std::string long_text(4096, 'x');
    const Ending ending = in_a_child([&] { vigil::check_failed("e", long_text.c_str(), "file", 1); });
    CHECK(WIFSIGNALED(ending.status));
    CHECK(ending.said.size() < 512);
}

TEST_CASE("reading the side of a Result that is not there aborts") {
    const Ending value = in_a_child([] {
        const vigil::Result<int> failed = vigil::Failure{vigil::Error{"x"}};
        static_cast<void>(failed.value());
    });
    CHECK(WIFSIGNALED(value.status));
    const Ending error = in_a_child([] {
        const vigil::Result<void, int> fine;
        static_cast<void>(fine.error());
    });
    CHECK(WIFSIGNALED(error.status));
}
