// What a keeper refuses: other users, what it has no room for, and what is no request.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "bench.hpp"

using namespace vigil;
using namespace vigil::keeper;
using namespace vigil::keeper::test;
using namespace std::string_literals;

namespace {

constexpr uid_t kNobody = 65534;

/// The errno with which another user's connect ends.
int connect_as_nobody(const std::string& path) {
    const int status = wait_for(in_child([&] {
        if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(255);
        const auto client = Client::connect(path, 5s);
        ::_exit(client.ok() ? 0 : client.error().code);
    }));
    return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("another user cannot reach the socket, and is not answered where the mode would allow it") {
    if (os::test::skipped_without_root()) return;
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    CHECK(connect_as_nobody(bench.socket()) == EACCES);
    REQUIRE(::chmod(bench.socket().c_str(), 0666) == 0);
    const int code = connect_as_nobody(bench.socket());
    CHECK((code == EPIPE || code == ECONNRESET));
    CHECK(status(*client).turned_away == 1);
    CHECK(status(*client).malformed == 0);
}

TEST_CASE("a keeper whose table is full counts what it refuses and keeps what it has") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    CHECK(status(*client).entries == 0);
    const rlimit few{60, 60};
    rlimit before{};
    REQUIRE(::prlimit(bench.pid(), RLIMIT_NOFILE, &few, &before) == 0);
    constexpr std::size_t kPuts = 40;
    const Pipe pipe;
    pipe.write("held");
    const int three[] = {pipe.reads.get(), pipe.reads.get(), pipe.reads.get()};
    for (std::size_t i = 0; i < kPuts; ++i) REQUIRE(client->put(std::to_string(i), three).ok());
    {
        const Listing listing = list(*client);
        CHECK(listing.status.entries == (60 - 5) / 3);
        CHECK(listing.status.refused == kPuts - listing.status.entries);
        CHECK(listing.entries.size() == listing.status.entries);
        CHECK(bench.descriptors() == 5 + 3 * listing.status.entries);
        for (const Entry& entry : listing.entries) CHECK(entry.descriptors.size() == 3);
        CHECK(text_in(listing.entries.back().descriptors[2]) == "held");
    }
    // There is room again.
    CHECK(client->drop("0").ok());
    CHECK(client->put("one more", three).ok());
    CHECK(status(*client).entries == (60 - 5) / 3);
    bench.end();
}

TEST_CASE("packets that are no request are counted, and what came with them is closed") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    const Raw raw(bench.socket());
    raw.send(request::Put{"before its hello"}, 2);
    raw.send(request::List{});
    raw.send(request::Hello{});
    CHECK(raw.receive() == encode(answer::Welcome{}).bytes());
    REQUIRE(status(*client).malformed == 2);
    const std::size_t before = bench.descriptors();
    const std::string too_long(1000, '\x02');
    std::uint64_t sent = 0;
    for (int round = 0; round < 20; ++round) {
        for (const std::string& packet :
             {""s, "\xff"s, "\x02"s, "\x81welcome"s, "\x01vigil-keeper"s, too_long})
            for (const std::size_t descriptors : {0U, 1U, 4U, 8U}) {
                raw.send(packet, descriptors);
                ++sent;
            }
        raw.send(request::Put{"none"}, 0);
        raw.send(request::Put{"too many"}, 5);
        raw.send(request::Drop{"with one"}, 1);
        raw.send(request::List{}, 1);
        raw.send(request::AskStatus{}, 1);
        raw.send(request::Hello{}, 1);
        raw.send(request::End{}, 1);
        sent += 7;
        CHECK(eventually([&] { return status(*client).malformed == 2 + sent; }));
    }
    CHECK(bench.descriptors() == before);
    CHECK(status(*client).entries == 0);
    // The connection that they came over is as good as before.
    raw.send(request::Put{"task"}, 1);
    raw.send(request::List{});
    CHECK(raw.receive() == encode(answer::Entry{"task"}).bytes());
    bench.end();
}

TEST_CASE("a hello of another protocol is told so, and can still end the keeper") {
    Bench bench;
    bench.start();
    const Raw raw(bench.socket());
    raw.send(request::Hello{kProtocol + 1});
    CHECK(raw.receive() == encode(answer::WrongProtocol{kProtocol}).bytes());
    raw.send(request::Put{"task"}, 1);
    const auto client = bench.connect();
    CHECK(status(*client).entries == 0);
    CHECK(status(*client).malformed == 1);
    raw.send(request::End{});
    CHECK(raw.receive() == encode(answer::Ended{}).bytes());
    CHECK(bench.wait_for_end() == 0);
}
