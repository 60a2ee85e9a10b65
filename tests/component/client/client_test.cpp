#include "client/client.hpp"

#include <dirent.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "fake_daemon.hpp"

using namespace std::chrono_literals;
using namespace vigil;
using client::Client;
using client::Fault;
using client::Patience;
using test::FakeDaemon;
using Connection = FakeDaemon::Connection;

namespace {

std::size_t open_descriptors() {
    std::size_t count = 0;
    DIR* directory = ::opendir("/proc/self/fd");
    REQUIRE(directory != nullptr);
    while (::readdir(directory) != nullptr) ++count;
    ::closedir(directory);
    return count;
}

/// Every case ends with as many descriptors as it began with.
struct NoLeak {
    std::size_t before = open_descriptors();
    ~NoLeak() { CHECK(open_descriptors() == before); }
};

Client open(const FakeDaemon& daemon) {
    auto client = Client::open({daemon.socket()});
    if (!client) FAIL(client.error().message);
    return std::move(client).value();
}

Patience within(std::chrono::milliseconds limit) {
    return {.until = std::chrono::steady_clock::now() + limit};
}

}  // namespace

TEST_CASE("a call gives the result of its own request") {
    const NoLeak no_leak;
    FakeDaemon daemon({[](Connection& c) {
        c.answer(R"({"name":"vigild","version":"9.9","api":1})");
        c.answer(R"({"tasks":[{"name":"a","status":"healthy","pid":7}]})");
    }});
    Client client = open(daemon);
    CHECK(client.hello()->version == "9.9");
    const auto tasks = client.statuses({"a"});
    REQUIRE(tasks.ok());
    REQUIRE(tasks->size() == 1);
    CHECK(tasks->front().pid == 7);
}

TEST_CASE("a daemon from before members could be chosen is asked once more, for all of them") {
    const NoLeak no_leak;
    FakeDaemon daemon({[](Connection& c) {
        CHECK(c.line().find("\"fields\":[\"name\",\"status\",\"pid\"]") != std::string::npos);
        c.say(
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,"
            "\"message\":\"task.status: there is no parameter \\\"fields\\\"\"}}\n");
        for (const char* id : {"2", "3"}) {
            const std::string request = c.line();
            CHECK(request.find("fields") == std::string::npos);
            CHECK(request.find("\"name\":[\"a\"]") != std::string::npos);
            c.say(std::string("{\"jsonrpc\":\"2.0\",\"id\":") + id + ",\"result\":{\"tasks\":[]}}\n");
        }
    }});
    Client client = open(daemon);
    const protocol::params::TaskStatus wanted{
        .names = {"a"}, .spec = false, .details = false, .fields = {protocol::StatusField::pid}};
    CHECK(client.status(wanted).ok());
    // It is remembered.
    CHECK(client.status(wanted).ok());
}

TEST_CASE("nasty 65: an answer that comes byte by byte is read as one") {
    const NoLeak no_leak;
    FakeDaemon daemon({[](Connection& c) {
        (void)c.line();
        for (const char byte :
             std::string("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":\"1\"}}\n")) {
            c.say(std::string(1, byte));
            ::usleep(200);
        }
    }});
    CHECK(open(daemon).hello(within(10s))->version == "1");
}

TEST_CASE("an answer of many megabytes is read whole") {
    const NoLeak no_leak;
    std::string tasks = "{\"tasks\":[";
    for (int i = 0; i < 50'000; ++i)
        tasks += (i == 0 ? "{\"name\":\"t" : ",{\"name\":\"t") + std::to_string(i) +
                 "\",\"status\":\"healthy\",\"status_text\":\"" + std::string(100, 'x') + "\"}";
    tasks += "]}";
    FakeDaemon daemon({[&tasks](Connection& c) { c.answer(tasks); }});
    const auto read = open(daemon).statuses({}, within(60s));
    REQUIRE(read.ok());
    CHECK(read->size() == 50'000);
}

TEST_CASE("events that come before an answer wait for next_event") {
    const NoLeak no_leak;
    FakeDaemon daemon({[](Connection& c) {
        c.say("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"name\":\"a\"}}\n");
        c.answer("{}");
        c.say("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"name\":\"b\"}}\n");
    }});
    Client client = open(daemon);
    REQUIRE(client.subscribe({}).ok());
    CHECK(*client.next_event() == R"({"name":"a"})");
    CHECK(*client.next_event() == R"({"name":"b"})");
    CHECK(client.next_event().error().kind == Fault::Kind::disconnected);
}

TEST_CASE("an error of the daemon keeps its kind and what belongs to it") {
    const NoLeak no_leak;
    FakeDaemon daemon({[](Connection& c) {
        (void)c.line();
        c.say(
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32004,\"message\":\"no "
            "\\u001b[31m\",\"data\":{\"kind\":\"Denied\"}}}\n");
    }});
    const auto refused = open(daemon).order({.method = protocol::Method::task_stop, .names = {"a"}});
    REQUIRE(!refused.ok());
    CHECK(refused.error().kind == Fault::Kind::denied);
    CHECK(refused.error().message.find('\033') == std::string::npos);
}

TEST_CASE("a refusal that was sent before the connection was closed is not lost") {
    const NoLeak no_leak;
    FakeDaemon daemon({[](Connection& c) {
        c.say(
            "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32006,\"message\":\"too "
            "many\",\"data\":{\"kind\":\"Busy\"}}}\n");
    }});
    Client client = open(daemon);
    ::usleep(50'000);
    const auto refused = client.hello();
    REQUIRE(!refused.ok());
    CHECK(refused.error().message == "too many");
}

TEST_CASE("a daemon that goes away, is silent, or talks nonsense ends the call, each in its own way") {
    const NoLeak no_leak;
    FakeDaemon daemon({[](Connection& c) { (void)c.line(); },
                       [](Connection& c) {
                           (void)c.line();
                           (void)c.line();
                       },
                       [](Connection& c) {
                           (void)c.line();
                           c.say("HTTP/1.1 400 Bad Request\r\n\r\n");
                       },
                       [](Connection& c) {
                           (void)c.line();
                           c.say("{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}\n");
                       }});
    CHECK(open(daemon).hello().error().kind == Fault::Kind::disconnected);
    CHECK(open(daemon).hello(within(100ms)).error().kind == Fault::Kind::timeout);
    CHECK(open(daemon).hello().error().kind == Fault::Kind::protocol);
    CHECK(open(daemon).hello().error().kind == Fault::Kind::protocol);
}

TEST_CASE("waiting ends at once when it is interrupted, and ticks meanwhile") {
    const NoLeak no_leak;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const UniqueFd reading(ends[0]);
    const UniqueFd writing(ends[1]);
    FakeDaemon daemon({[](Connection& c) {
        (void)c.line();
        (void)c.line();
    }});
    Client client = open(daemon);
    int ticks = 0;
    Patience patience{.interrupt_fd = reading.get(), .tick_every = 5ms};
    patience.tick = [&] {
        if (++ticks == 3) CHECK(::write(writing.get(), "x", 1) == 1);
    };
    CHECK(client.hello(patience).error().kind == Fault::Kind::interrupted);
    CHECK(ticks == 3);
}

TEST_CASE("nasty 70: where no daemon listens the message names every socket that was tried") {
    const NoLeak no_leak;
    const auto nowhere = Client::open({"/nonexistent/a.sock", "/tmp", std::string(200, 'x')});
    REQUIRE(!nowhere.ok());
    CHECK(nowhere.error().kind == Fault::Kind::unreachable);
    for (const char* part :
         {"/nonexistent/a.sock: No such file", "/tmp: no daemon listens", "too long", "--socket"}) {
        CAPTURE(nowhere.error().message);
        CHECK(nowhere.error().message.find(part) != std::string::npos);
    }
}

TEST_CASE("the first socket at which a daemon listens is taken") {
    const NoLeak no_leak;
    FakeDaemon daemon({[](Connection& c) { c.answer("{}"); }});
    auto client = Client::open({"/nonexistent/a.sock", daemon.socket()});
    REQUIRE(client.ok());
    CHECK(client->socket() == daemon.socket());
    CHECK(client->hello().ok());
}

TEST_CASE("a posted order is over when the question after it is answered") {
    const NoLeak no_leak;
    FakeDaemon daemon(
        {[](Connection& c) {
             (void)c.line();
             c.answer("{}");
             (void)c.line();
         },
         [](Connection& c) {
             (void)c.line();
             c.say("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32004,\"message\":\"no\"}}\n");
         }});
    CHECK(open(daemon).post(protocol::Method::daemon_shutdown, {}).ok());
    CHECK(open(daemon).post(protocol::Method::daemon_shutdown, {}).error().kind == Fault::Kind::denied);
}
