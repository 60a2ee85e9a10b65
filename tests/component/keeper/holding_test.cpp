// What is put is held, whole and working, until it is dropped or replaced.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "bench.hpp"

using namespace vigil;
using namespace vigil::keeper;
using namespace vigil::keeper::test;

namespace {

UniqueFd socket_at(const std::string& path, int type) {
    UniqueFd made(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return made;
}

UniqueFd connected_to(const std::string& path, int type) {
    UniqueFd made(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return made;
}

}  // namespace

TEST_CASE("what is put is listed under its key until it is dropped") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    CHECK(list(*client).entries.empty());
    const Pipe pipe;
    pipe.put(*client, "b");
    pipe.put(*client, std::string("a\0\n", 3));
    pipe.put(*client, std::string(kMostKey, '\xff'));
    const Listing listing = list(*client);
    CHECK(keys_of(listing) ==
          std::vector{std::string("a\0\n", 3), std::string("b"), std::string(kMostKey, '\xff')});
    CHECK(listing.status.entries == 3);
    CHECK(listing.status.descriptors == 3);
    CHECK(listing.status.pid == static_cast<std::uint64_t>(bench.pid()));
    for (const Entry& entry : listing.entries)
        CHECK((::fcntl(entry.descriptors.at(0).get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(client->drop("b").ok());
    CHECK(client->drop("never put").ok());
    CHECK(list(*client).entries.size() == 2);
    bench.end();
}

TEST_CASE("an entry of the same key is replaced, and the keeper closes what it had") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    Pipe old;
    const Pipe fresh;
    old.put(*client, "task");
    fresh.put(*client, "task");
    REQUIRE(list(*client).entries.size() == 1);
    old.reads.reset();
    // Nobody has the read end any more.
    pollfd state{old.writes.get(), POLLOUT, 0};
    REQUIRE(eventually([&] { return ::poll(&state, 1, 0) == 1 && (state.revents & POLLERR) != 0; }));
    fresh.write("new");
    CHECK(text_in(list(*client).entries.at(0).descriptors.at(0)) == "new");
}

TEST_CASE("up to four descriptors come back in their order") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    const std::array<Pipe, kMostDescriptors> pipes;
    std::array<int, kMostDescriptors> numbers;
    for (std::size_t i = 0; i < pipes.size(); ++i) {
        numbers[i] = pipes[i].reads.get();
        pipes[i].write(std::to_string(i));
    }
    REQUIRE(client->put("four", numbers).ok());
    const Listing listing = list(*client);
    REQUIRE(listing.entries.at(0).descriptors.size() == pipes.size());
    for (std::size_t i = 0; i < pipes.size(); ++i)
        CHECK(text_in(listing.entries[0].descriptors[i]) == std::to_string(i));
}

TEST_CASE("a key or a number of descriptors that cannot be is refused at once") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    const std::array<int, kMostDescriptors + 1> fds{};
    CHECK(client->put("", std::span(fds).first(1)).error().code == EINVAL);
    CHECK(client->put(std::string(kMostKey + 1, 'k'), std::span(fds).first(1)).error().code == EINVAL);
    CHECK(client->put("k", {}).error().code == EINVAL);
    CHECK(client->put("k", fds).error().code == EINVAL);
    CHECK(client->drop("").error().code == EINVAL);
    const int closed = 999'999;
    CHECK(client->put("k", {&closed, 1}).error().code == EBADF);
    CHECK(status(*client).malformed == 0);
}

TEST_CASE("what was written to a pipe before and after the daemon's death can be read") {
    Bench bench;
    bench.start();
    Pipe pipe;
    const pid_t daemon = in_child([&] {
        pipe.write("before ");
        pipe.put(*bench.connect(), "output");
    });
    CHECK(wait_for(daemon) == 0);
    pipe.reads.reset();
    pipe.write("after");
    const auto successor = bench.connect();
    const Listing listing = list(*successor);
    REQUIRE(keys_of(listing) == std::vector<std::string>{"output"});
    CHECK(text_in(listing.entries[0].descriptors.at(0)) == "before after");
    pipe.write(" now");
    CHECK(text_in(listing.entries[0].descriptors.at(0)) == " now");
}

TEST_CASE("a datagram socket receives and a listening socket accepts while no daemon lives") {
    Bench bench;
    bench.start();
    const std::string notify = bench.directory() / "notify";
    const std::string control = bench.directory() / "control";
    const pid_t daemon = in_child([&] {
        const UniqueFd datagrams = socket_at(notify, SOCK_DGRAM);
        const UniqueFd listener = socket_at(control, SOCK_STREAM);
        REQUIRE(::listen(listener.get(), 5) == 0);
        const std::array<int, 2> both{datagrams.get(), listener.get()};
        REQUIRE(bench.connect()->put("sockets", both).ok());
    });
    CHECK(wait_for(daemon) == 0);
    const auto successor = bench.connect();
    CHECK(status(*successor).entries == 1);
    const UniqueFd task = connected_to(notify, SOCK_DGRAM);
    CHECK(::send(task.get(), "READY=1", 7, MSG_NOSIGNAL) == 7);
    const UniqueFd visitor = connected_to(control, SOCK_STREAM);
    const Listing listing = list(*successor);
    REQUIRE(listing.entries.at(0).descriptors.size() == 2);
    CHECK(text_in(listing.entries[0].descriptors[0]) == "READY=1");
    CHECK(UniqueFd(::accept(listing.entries[0].descriptors[1].get(), nullptr, nullptr)));
}

TEST_CASE("five thousand entries are put, listed and dropped") {
    Bench bench;
    constexpr std::size_t kCount = 5000;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < kCount + 100) {
        MESSAGE("SKIPPED: too few open files are allowed");
        return;
    }
    bench.start();
    const auto client = bench.connect();
    const Pipe pipe;
    const int fd = pipe.reads.get();
    const auto until_it_keeps_up = [](const std::function<Result<void>()>& say) {
        REQUIRE(eventually([&] {
            const auto said = say();
            REQUIRE((said.ok() || said.error().code == EAGAIN));
            return said.ok();
        }));
    };
    for (std::size_t i = 0; i < kCount; ++i)
        until_it_keeps_up([&] { return client->put("task." + std::to_string(i), {&fd, 1}); });
    {
        const Listing listing = list(*client);
        CHECK(listing.entries.size() == kCount);
        CHECK(listing.cut_short == 0);
        CHECK(listing.status.descriptors == kCount);
        CHECK(listing.status.refused == 0);
    }
    for (std::size_t i = 0; i < kCount; ++i)
        until_it_keeps_up([&] { return client->drop("task." + std::to_string(i)); });
    CHECK(list(*client).entries.empty());
    CHECK(bench.descriptors() <= 5);
    bench.end();
}
