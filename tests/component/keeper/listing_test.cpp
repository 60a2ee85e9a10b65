// Lists: to slow readers, to readers that die, and in the order of things. Most of it with a keeper that is
// turned by hand.
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bench.hpp"
#include "keeper/keeper.hpp"

using namespace vigil;
using namespace vigil::keeper;
using namespace vigil::keeper::test;

namespace {

constexpr std::size_t kMany = 3000;

/// A keeper in this process, which does nothing between its turns.
struct ByHand {
    os::test::NothingLeft nothing_left;
    os::test::TempDir directory;
    os::InstanceLock lock = os::InstanceLock::take(directory / "lock").value();
    os::UnixListener listener =
        os::UnixListener::open(lock,
                               {.path = directory / "keeper.sock", .mode = 0600, .type = SOCK_SEQPACKET})
            .value();
    Keeper keeper;

    explicit ByHand(Limits limits = {}) : keeper(Keeper::create(listener.take_fd(), limits).value()) {}

    void turn(int times = 1) {
        for (int i = 0; i < times; ++i) REQUIRE(keeper.turn(0ms).value());
    }
    [[nodiscard]] std::unique_ptr<Raw> connect() {
        auto made = std::make_unique<Raw>(listener.path());
        made->send(request::Hello{});
        turn(3);
        CHECK(std::holds_alternative<answer::Welcome>(parse_answer(made->receive()).value()));
        return made;
    }
    /// Puts and lets the keeper take it.
    void fill(const Raw& client, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            client.send(request::Put{"task." + std::to_string(i)}, 1);
            turn();
        }
    }
    /// The rest of a list that was asked for: its keys, each of them once.
    [[nodiscard]] std::set<std::string> take_list(const Raw& client) {
        std::set<std::string> keys;
        for (;;) {
            turn();
            const std::string packet = client.receive();
            const auto answer = parse_answer(packet).value();
            if (const auto* const listed = std::get_if<answer::Listed>(&answer)) {
                CHECK(listed->count == keys.size());
                return keys;
            }
            CHECK(keys.insert(std::string(std::get<answer::Entry>(answer).key)).second);
        }
    }
};

}  // namespace

TEST_CASE("a list that its reader is slow to take is whole, and holds up nobody") {
    ByHand by_hand;
    const auto slow = by_hand.connect();
    const auto other = by_hand.connect();
    by_hand.fill(*other, kMany);
    slow->send(request::List{});
    by_hand.turn(5);
    other->send(request::Drop{"task.1"});
    other->send(request::AskStatus{});
    by_hand.turn(2);
    const auto now = std::get<answer::StatusNow>(parse_answer(other->receive()).value());
    CHECK(now.status.entries == kMany - 1);
    const auto keys = by_hand.take_list(*slow);
    CHECK(keys.size() >= kMany - 1);
    CHECK(keys.contains("task.0"));
    CHECK(keys.contains("task.2999"));
}

TEST_CASE("entries that come and go during a list disturb nothing in it") {
    ByHand by_hand;
    const auto slow = by_hand.connect();
    const auto other = by_hand.connect();
    by_hand.fill(*other, kMany);
    slow->send(request::List{});
    by_hand.turn(5);
    // All but every tenth goes, among them what was sent last.
    for (std::size_t i = 0; i < kMany; ++i) {
        if (i % 10 != 0) other->send(request::Drop{"task." + std::to_string(i)});
        other->send(request::Put{"a.before." + std::to_string(i)}, 1);
        by_hand.turn();
    }
    const auto keys = by_hand.take_list(*slow);
    for (std::size_t i = 0; i < kMany; i += 10) CHECK(keys.contains("task." + std::to_string(i)));
}

TEST_CASE("what a client put that died with unread answers is held") {
    ByHand by_hand;
    auto dies = by_hand.connect();
    by_hand.fill(*dies, 10);
    dies->send(request::List{});
    by_hand.turn(2);
    dies->send(request::Put{"last"}, 2);
    dies.reset();
    by_hand.turn(3);
    CHECK(by_hand.keeper.status().entries == 11);
    CHECK(by_hand.keeper.status().descriptors == 12);
    CHECK(by_hand.keeper.status().malformed == 0);
}

TEST_CASE("a list has everything that anybody had put before it was asked for") {
    ByHand by_hand;
    // The reader comes first in the keeper's own order, and its turn has room for less than is waiting.
    const auto reader = by_hand.connect();
    auto writer = by_hand.connect();
    for (int i = 0; i < 200; ++i) writer->send(request::Put{std::to_string(i)}, 1);
    writer.reset();
    Raw unaccepted(by_hand.listener.path());
    unaccepted.send(request::Hello{});
    unaccepted.send(request::Put{"unaccepted"}, 1);
    reader->send(request::List{});
    const auto keys = by_hand.take_list(*reader);
    CHECK(keys.size() == 201);
    CHECK(keys.contains("unaccepted"));
}

TEST_CASE("a second question before the answer to the first is counted and not answered") {
    ByHand by_hand;
    const auto client = by_hand.connect();
    client->send(request::List{});
    client->send(request::AskStatus{});
    CHECK(by_hand.take_list(*client).empty());
    CHECK(by_hand.keeper.status().malformed == 1);
}

TEST_CASE("more clients than are served at a time wait for their turn") {
    ByHand by_hand(Limits{.connections = 1});
    std::optional<Raw> first(by_hand.listener.path());
    const Raw second(by_hand.listener.path());
    first->send(request::Hello{});
    second.send(request::Hello{});
    by_hand.turn(3);
    CHECK(std::holds_alternative<answer::Welcome>(parse_answer(first->receive()).value()));
    char byte = 0;
    CHECK(::recv(second.fd(), &byte, 1, MSG_DONTWAIT) == -1);
    first.reset();
    by_hand.turn(3);
    CHECK(std::holds_alternative<answer::Welcome>(parse_answer(second.receive()).value()));
}

TEST_CASE("a reader that is killed in the middle of a list costs nothing, and the next list is whole") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    const Pipe pipe;
    for (std::size_t i = 0; i < kMany; ++i) {
        const std::string key = "task." + std::to_string(i);
        const int fd = pipe.reads.get();
        REQUIRE(eventually([&] { return client->put(key, {&fd, 1}).ok(); }));
    }
    REQUIRE(status(*client).entries == kMany);
    const std::size_t before = bench.descriptors();
    const Pipe ready;
    const pid_t reader = in_child([&] {
        const Raw raw(bench.socket());
        raw.send(request::Hello{});
        REQUIRE_FALSE(raw.receive().empty());
        raw.send(request::List{});
        REQUIRE_FALSE(raw.receive().empty());
        ready.write("r");
        ::pause();
    });
    REQUIRE(eventually([&] { return text_in(ready.reads) == "r"; }));
    CHECK(status(*client).entries == kMany);
    ::kill(reader, SIGKILL);
    CHECK(killed_by(wait_for(reader), SIGKILL));
    const Listing listing = list(*client);
    CHECK(listing.entries.size() == kMany);
    CHECK(listing.status.malformed == 0);
    CHECK(eventually([&] { return bench.descriptors() == before; }));
    bench.end();
}
