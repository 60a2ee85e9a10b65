#include "upgrade/handover.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace vigil;
using namespace vigil::daemon;

namespace {

Handover full() {
    Handover handover{.version = "1.2.3",
                      .runtime_dir = "/run/vi\"gil",
                      .lock = 40,
                      .open_files = {1024, RLIM_INFINITY},
                      .started_at = std::chrono::nanoseconds(123456789012345),
                      .config_changed = true,
                      .clients = {.events = 77, .upgrader_session = 1, .upgrader_request = "\"an id\""},
                      .stop_commands = {{"api", 3, 4711}}};
    CarriedClients& clients = handover.clients;
    clients.sessions.push_back({.fd = 41,
                                .received = std::string("{\"half\":\n\0\xff", 11),
                                .unsent = "an answer\n",
                                .subscribed = true,
                                .event_patterns = {"web-*", "a"},
                                .finishing = false});
    clients.sessions.push_back({.fd = 42, .received = {}, .unsent = {}, .finishing = true});
    clients.orders.push_back(
        {.session = 0,
         .request = "17",
         .outcomes = {{.name = "web",
                       .kind = protocol::TaskOutcome::Kind::failed,
                       .status = "failed",
                       .explanation = "exit code 3"}},
         .awaited = {{"api", core::Goal::restarted, 9, false}, {"db", core::Goal::stopped, 1, true}},
         .deadline = core::TimePoint(std::chrono::seconds(1000)),
         .report = R"({"applied":true})"});
    clients.orders.push_back({.session = 1, .request = std::nullopt, .report = {}});
    return handover;
}

}  // namespace

TEST_CASE("a hand-over is read as it was written") {
    const std::string text = encode(full());
    const auto read = decode_handover(text);
    REQUIRE(read);
    CHECK(encode(*read) == text);
    CHECK(read->version == "1.2.3");
    CHECK(read->open_files.rlim_cur == 1024);
    CHECK(read->open_files.rlim_max == RLIM_INFINITY);
    CHECK(read->clients.sessions[0].received == full().clients.sessions[0].received);
    CHECK(read->clients.orders[0].deadline == full().clients.orders[0].deadline);
    CHECK(read->clients.orders[1].deadline == core::kNever);
    CHECK_FALSE(read->clients.orders[1].request);
    CHECK(descriptors_of(*read) == std::vector<int>{40, 41, 42});
}

TEST_CASE("members of a later version are skipped, those of an earlier one have their defaults") {
    std::string later = encode(full());
    later.insert(1, R"("later":{"deep":[1,{"x":null}]},)");
    const auto read = decode_handover(later);
    REQUIRE(read);
    CHECK(encode(*read) == encode(full()));
    const auto earlier = decode_handover(R"({"format":1,"lock":5,"sessions":[{"fd":6}]})");
    REQUIRE(earlier);
    CHECK(earlier->clients.sessions.at(0).fd == 6);
    CHECK(earlier->clients.orders.empty());
}

TEST_CASE("another format, a goal that nobody knows and damage of any kind are refused with a reason") {
    CHECK(decode_handover(R"({"format":2})").error() ==
          "what is handed over is of format 2, this version reads 1");
    CHECK_FALSE(decode_handover(R"({"format":1,"orders":[{"awaited":[{"goal":"nirvana"}]}]})"));
    CHECK_FALSE(decode_handover(R"({"format":1,"sessions":[{"received":"0g"}]})"));
    CHECK_FALSE(decode_handover(R"({"format":1,"sessions":[{"received":"012"}]})"));
    const std::string text = encode(full());
    for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(decode_handover(std::string_view(text).substr(0, size)));
    }
}
