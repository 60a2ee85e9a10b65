#include "control/session.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

using namespace vigil;
using namespace std::chrono_literals;
using daemon::Loop;
using daemon::Session;
using daemon::SessionId;

namespace {

/// One session on a socket pair, with the test as its client.
struct Fixture {
    Loop loop;
    UniqueFd client;
    std::vector<std::string> requests;
    bool too_long = false;
    bool over = false;
    std::function<void(Session&, std::string_view)> on_request;
    std::optional<Session> session;

    Fixture() {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
        client.reset(fds[0]);
        Session::Port port;
        port.request = [this](Session& from, std::string_view line) {
            requests.emplace_back(line);
            if (on_request) on_request(from, line);
        };
        port.line_too_long = [this](Session& from) {
            too_long = true;
            from.send("too long\n");
        };
        port.over = [this](Session&) { over = true; };
        session.emplace(loop, SessionId{1}, UniqueFd(fds[1]), os::Peer{}, std::move(port));
    }

    void turn() { uv_run(loop.raw(), UV_RUN_NOWAIT); }
    void turns(int count = 10) {
        for (int i = 0; i < count; ++i) turn();
    }
    std::size_t send(std::string_view bytes) {
        const ssize_t sent = ::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    std::string receive() {
        std::string out;
        std::vector<char> bytes(1 << 16);
        for (ssize_t n = 0; (n = ::recv(client.get(), bytes.data(), bytes.size(), 0)) > 0;)
            out.append(bytes.data(), static_cast<std::size_t>(n));
        return out;
    }
};

class Numbers final : public daemon::LongAnswer {
  public:
    explicit Numbers(int& produced) : produced_(produced) {}
    bool next(std::string& out) override {
        out.append(std::string(1023, 'n')).append("\n");
        return ++produced_ < 10'000;
    }

  private:
    int& produced_;
};

}  // namespace

TEST_CASE("nasty 65: a request that comes byte by byte is one request") {
    Fixture given;
    for (const char c : std::string("{\"a\":1}\n")) {
        given.send({&c, 1});
        given.turn();
    }
    REQUIRE(given.requests.size() == 1);
    CHECK(given.requests[0] == "{\"a\":1}");
}

TEST_CASE("nasty 65: of a thousand pipelined requests 64 are taken, the rest when answers are given") {
    Fixture given;
    given.on_request = [](Session& from, std::string_view) { from.promise(); };
    std::string many;
    for (int i = 0; i < 1000; ++i) many += std::to_string(i) + "\n";
    given.send(many);
    given.turns();
    CHECK(given.requests.size() == daemon::kMaxRequestsInFlight);
    std::string answers;
    for (int answered = 0; answered < 1000; ++answered) {
        REQUIRE(static_cast<std::size_t>(answered) < given.requests.size());
        given.session->abandon();
        given.session->send("done\n");
        given.turn();
        answers += given.receive();
    }
    CHECK(given.requests.size() == 1000);
    CHECK(given.requests.back() == "999");
    CHECK(std::count(answers.begin(), answers.end(), '\n') == 1000);
}

TEST_CASE("nasty 65: as many requests as are taken in one go are followed by others") {
    for (int in_one_go = 1; in_one_go <= 20; ++in_one_go) {
        Fixture given;
        std::string many;
        for (int i = 0; i < in_one_go; ++i) many += "ask\n";
        given.send(many);
        given.turns();
        given.send("once more\n");
        given.turns();
        CHECK(given.requests.size() == static_cast<std::size_t>(in_one_go) + 1);
    }
}

TEST_CASE("nasty 65: a client whose requests take long gets one of them taken at a time") {
    Fixture given;
    given.on_request = [](Session&, std::string_view) {
        for (const auto until = std::chrono::steady_clock::now() + 2ms;
             std::chrono::steady_clock::now() < until;) {
        }
    };
    given.send("one\ntwo\nthree\n");
    given.turn();
    CHECK(given.requests.size() == 1);
    given.turns();
    CHECK(given.requests.size() == 3);
}

TEST_CASE("nasty 65: of a client who reads no answer no further request is taken while they are many bytes") {
    Fixture given;
    given.on_request = [](Session& from, std::string_view) { from.send(std::string(1 << 20, 'a')); };
    std::string many;
    for (int i = 0; i < 50; ++i) many += "ask\n";
    given.send(many);
    given.turns(50);
    CHECK(given.requests.size() <= 2);
    CHECK(given.session->unread() <= std::size_t{3} << 20);
    std::size_t read = 0;
    for (int i = 0; i < 10'000 && given.requests.size() < 50; ++i) {
        read += given.receive().size();
        given.turn();
    }
    CHECK(given.requests.size() == 50);
    CHECK(read > std::size_t{40} << 20);
}

TEST_CASE("a change costs who listens no system call of the turn that it is made in") {
    Fixture given;
    REQUIRE(given.session->send_event("one\n"));
    REQUIRE(given.session->send_event("two\n"));
    CHECK(given.receive().empty());
    given.turns();
    CHECK(given.receive() == "one\ntwo\n");
    REQUIRE(given.session->send_event("three\n"));
    given.session->send("an answer\n");
    given.turns();
    CHECK(given.receive() == "three\nan answer\n");
}

TEST_CASE("a long answer is produced only as fast as it is read") {
    Fixture given;
    int produced = 0;
    given.session->send(std::make_unique<Numbers>(produced));
    given.turns(50);
    CHECK(produced < 1000);
    std::size_t read = 0;
    for (int i = 0; i < 10'000 && read < 10'000UL * 1024; ++i) {
        read += given.receive().size();
        given.turn();
    }
    CHECK(read == 10'000UL * 1024);
    CHECK(produced == 10'000);
}

TEST_CASE("a subscriber that lets a megabyte of events pile up is dropped") {
    Fixture given;
    const std::string event(1000, 'e');
    int sent = 0;
    while (sent < 10'000 && given.session->send_event(event)) ++sent;
    CHECK(sent < 2000);
    CHECK(given.over);
}

TEST_CASE("a subscriber that reads is never dropped, however many events there are") {
    Fixture given;
    const std::string event(1000, 'e');
    for (int i = 0; i < 10'000; ++i) {
        REQUIRE(given.session->send_event(event));
        if (i % 50 == 0) (void)given.receive();
        given.turn();
    }
    CHECK_FALSE(given.over);
}

TEST_CASE("a client that closes its sending side is answered before the session ends") {
    Fixture given;
    given.on_request = [](Session& from, std::string_view) { from.promise(); };
    given.send("ask\n");
    REQUIRE(::shutdown(given.client.get(), SHUT_WR) == 0);
    given.turns();
    CHECK_FALSE(given.over);
    given.session->abandon();
    given.session->send("answer\n");
    given.turns();
    CHECK(given.receive() == "answer\n");
    CHECK(given.over);
}

TEST_CASE("a half-closed client that waits costs no turns of the loop") {
    Fixture given;
    given.on_request = [](Session& from, std::string_view) { from.promise(); };
    given.send("ask\n");
    REQUIRE(::shutdown(given.client.get(), SHUT_WR) == 0);
    given.turns();
    int wakeups = 0;
    uv_prepare_t prepare;
    uv_prepare_init(given.loop.raw(), &prepare);
    prepare.data = &wakeups;
    uv_prepare_start(&prepare, [](uv_prepare_t* handle) { ++*static_cast<int*>(handle->data); });
    daemon::Timer end(given.loop, [&] { given.loop.stop(); });
    end.arm(std::chrono::steady_clock::now() + 50ms);
    given.loop.run();
    CHECK(wakeups < 20);
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare), nullptr);
    given.client.reset();
    given.turns();
    CHECK(given.over);
}

TEST_CASE("nasty 36: a client that goes away while its order is pending is noticed") {
    Fixture given;
    given.on_request = [](Session& from, std::string_view) { from.promise(); };
    given.send("ask\n");
    given.turns();
    given.client.reset();
    given.turns();
    CHECK(given.requests.size() == 1);
    CHECK(given.over);
}

TEST_CASE("nasty 65: a line without end is refused once and ends the session") {
    Fixture given;
    const std::string piece(100'000, 'x');
    for (int i = 0; i < 200 && !given.over; ++i) {
        given.send(piece);
        given.turn();
    }
    CHECK(given.too_long);
    CHECK(given.over);
    CHECK(given.receive() == "too long\n");
}

TEST_CASE("a session that is held takes no request, and goes on with what it was sent") {
    Fixture f;
    f.session->hold(true);
    f.send("one\ntwo\n");
    f.turns();
    CHECK(f.requests.empty());
    f.session->hold(false);
    f.turns();
    CHECK(f.requests == std::vector<std::string>{"one", "two"});
}

TEST_CASE("what one program has not taken and not written another one takes and writes") {
    Fixture first;
    first.on_request = [](Session& from, std::string_view) { from.hold(true); };
    first.send("one\ntwo\nthr");
    first.turns();
    CHECK(first.requests == std::vector<std::string>{"one"});
    first.session->subscribed = true;
    first.session->subscription = daemon::Subscription({"a*"});
    const auto carried = first.session->carry(1000);
    REQUIRE(carried);
    CHECK(carried->received == "two\nthr");
    CHECK(carried->unsent.empty());

    Fixture second;
    auto restored = *carried;
    restored.unsent = "an answer\n";
    second.session->restore(restored);
    second.turns();
    CHECK(second.requests.empty());
    CHECK(second.session->subscribed);
    CHECK(second.session->subscription.patterns() == std::vector<std::string>{"a*"});
    second.session->hold(false);
    second.send("ee\n");
    second.turns();
    CHECK(second.receive() == "an answer\n");
    CHECK(second.requests == std::vector<std::string>{"two", "three"});
}

TEST_CASE("a client that has too much to read does not go over") {
    Fixture f;
    f.session->send(std::string(std::size_t{8} << 20, 'x'));
    f.turns();
    CHECK_FALSE(f.session->carry(1000));
    CHECK(f.over);
    CHECK_FALSE(f.session->carry(std::size_t{64} << 20));
}
