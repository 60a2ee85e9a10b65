// The real program against a daemon that says what the test tells it to.
#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "program.hpp"

#ifdef VIGILCTL

using namespace vigil::test;
using Connection = FakeDaemon::Connection;

namespace {

constexpr const char* kOneHealthy = R"({"tasks":[{"name":"a","status":"healthy"}]})";
constexpr const char* kOneDead =
    R"({"tasks":[{"name":"a","status":"dead","cause":{"kind":"oom","text":"killed for want of memory"}}]})";

std::string error(int code, const char* data) {
    return "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":" + std::to_string(code) +
           ",\"message\":\"said so\",\"data\":" + data + "}}\n";
}

}  // namespace

TEST_CASE("status: 0 when the daemon answered, 3 when a named task is not healthy") {
    FakeDaemon daemon({[](Connection& c) { c.answer(kOneDead); }, [](Connection& c) { c.answer(kOneDead); },
                       [](Connection& c) { c.answer(kOneHealthy); }});
    const Ended all = run(daemon, {});
    CHECK(all.code == 0);
    CHECK(all.out.find("killed for want of memory") != std::string::npos);
    CHECK(all.out.find("1 task: 1 dead") != std::string::npos);
    CHECK(all.out.find('\033') == std::string::npos);
    CHECK(run(daemon, {"status", "a"}).code == 3);
    CHECK(run(daemon, {"status", "a"}).code == 0);
}

TEST_CASE("--json prints the one document and nothing else") {
    FakeDaemon daemon({[](Connection& c) { c.answer(kOneDead); }});
    const Ended ended = run(daemon, {"status", "--json"});
    CHECK(ended.out == std::string(kOneDead) + "\n");
    CHECK(ended.err.empty());
}

TEST_CASE("a name that matches nothing is 4, and hides no other") {
    FakeDaemon daemon({[](Connection& c) {
        (void)c.line();
        c.say(error(-32001, R"({"kind":"NoSuchTask","names":["zzz"]})"));
        CHECK(c.line().find(R"("name":["a"])") != std::string::npos);
        c.say("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":" + std::string(kOneHealthy) + "}\n");
    }});
    const Ended ended = run(daemon, {"status", "zzz", "a"});
    CHECK(ended.code == 4);
    CHECK(ended.out.find("healthy") != std::string::npos);
    CHECK(ended.err.find("said so") != std::string::npos);
}

TEST_CASE("failed tasks are named on stderr and make 1") {
    FakeDaemon daemon({[](Connection& c) {
        c.answer(FakeDaemon::kHello);
        c.answer(
            R"({"tasks":[{"name":"a","outcome":"done","status":"healthy"},)"
            R"({"name":"b","outcome":"failed","status":"failed","explanation":"failed: exit code 3"}]})");
    }});
    const Ended ended = run(daemon, {"start", "a", "b"});
    CHECK(ended.code == 1);
    CHECK(ended.out == "a: healthy\n");
    CHECK(ended.err == "vigilctl: b: failed: exit code 3\n");
}

TEST_CASE("an order is given to a daemon that answers, and not left in the queue of a socket without one") {
    FakeDaemon daemon({[](Connection& c) { CHECK(c.line().find("daemon.hello") != std::string::npos); }});
    const Ended ended = run(daemon, {"restart", "a"});
    CHECK(ended.code == 69);
    CHECK(ended.out.empty());
}

TEST_CASE("each refusal has its exit code") {
    const std::vector<std::pair<int, int>> cases = {
        {-32001, 4}, {-32004, 77}, {-32005, 78}, {-32003, 124}, {-32006, 1}};
    for (const auto& [code, expected] : cases) {
        FakeDaemon daemon({[code = code](Connection& c) {
            (void)c.line();
            c.say(error(code, "{}"));
        }});
        CHECK(run(daemon, {"stop", "a"}).code == expected);
    }
}

TEST_CASE("no daemon is 69, and the message says where it was looked for") {
    const Ended ended = Program({"-s", "/nonexistent/x.sock", "status"}).end();
    CHECK(ended.code == 69);
    CHECK(ended.err.find("/nonexistent/x.sock") != std::string::npos);
    CHECK(ended.out.empty());
}

TEST_CASE("a daemon that does not answer within --timeout is 124") {
    FakeDaemon daemon({[](Connection& c) {
        (void)c.line();
        (void)c.line();
    }});
    CHECK(run(daemon, {"status", "--timeout", "100ms"}).code == 124);
}

TEST_CASE("Ctrl-C while waiting is 130") {
    FakeDaemon daemon({[](Connection& c) {
        (void)c.line();
        (void)c.line();
    }});
    Program program({"stop", "a"}, daemon.socket().c_str());
    ::usleep(300'000);
    program.interrupt();
    CHECK(program.end().code == 130);
}

TEST_CASE("--watch goes on when the daemon comes back, and ends with 130") {
    FakeDaemon daemon({[](Connection& c) { c.answer(kOneHealthy); },
                       [](Connection& c) {
                           c.answer(kOneDead);
                           (void)c.line();
                       }});
    Program program({"status", "--watch", "--json"}, daemon.socket().c_str());
    std::string seen;
    while (seen.find("dead") == std::string::npos) {
        char piece[4096];
        const ssize_t got = ::read(program.out(), piece, sizeof piece);
        REQUIRE(got > 0);
        seen.append(piece, static_cast<std::size_t>(got));
    }
    CHECK(seen == std::string(kOneHealthy) + "\n" + kOneDead + "\n");
    program.interrupt();
    CHECK(program.end().code == 130);
}

TEST_CASE("wrong usage is 2 and never reaches a daemon") {
    CHECK(Program({"statsu"}).end().code == 2);
    CHECK(Program({"upgrade", "/a", "/b"}).end().code == 2);
    CHECK(Program({"add", "x"}).end().code == 2);
    CHECK(Program({"--help"}).end().code == 0);
}

TEST_CASE("output that cannot be written is a failure") {
    FakeDaemon daemon({[](Connection& c) { c.answer(kOneHealthy); }});
    const std::string command =
        std::string(VIGILCTL) + " -s " + daemon.socket() + " status >/dev/full 2>/dev/null";
    const int status = std::system(command.c_str());
    CHECK(WEXITSTATUS(status) == 1);
}

#endif
