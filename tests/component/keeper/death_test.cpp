// Who dies when, and what is left of what was put.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "bench.hpp"

using namespace vigil;
using namespace vigil::keeper;
using namespace vigil::keeper::test;

TEST_CASE("what was put is held though the daemon was killed as soon as the last put had returned") {
    constexpr int kThreads = 4;
    constexpr int kEach = 25;
    Bench bench;
    bench.start();
    const Pipe ready;
    const pid_t daemon = in_child([&] {
        const auto client = bench.connect();
        ready.write("r");
        ::raise(SIGSTOP);
        std::atomic<int> done = 0;
        std::vector<std::thread> threads;
        for (int thread = 0; thread < kThreads; ++thread)
            threads.emplace_back([&, thread] {
                for (int i = 0; i < kEach; ++i) {
                    const std::string key = std::to_string(thread) + "." + std::to_string(i);
                    const Pipe pipe;
                    pipe.write(key);
                    pipe.put(*client, key);
                    if (++done == kThreads * kEach) ::kill(::getpid(), SIGKILL);
                }
            });
        for (std::thread& thread : threads) thread.join();
    });
    // The keeper sees nothing of it before the daemon is dead.
    REQUIRE(eventually([&] { return text_in(ready.reads) == "r"; }));
    int stopped = 0;
    REQUIRE(::waitpid(daemon, &stopped, WUNTRACED) == daemon);
    REQUIRE(WIFSTOPPED(stopped));
    ::kill(bench.pid(), SIGSTOP);
    ::kill(daemon, SIGCONT);
    CHECK(killed_by(wait_for(daemon), SIGKILL));
    ::kill(bench.pid(), SIGCONT);

    const auto successor = bench.connect();
    const Listing listing = list(*successor);
    REQUIRE(listing.entries.size() == kThreads * kEach);
    for (const Entry& entry : listing.entries) CHECK(text_in(entry.descriptors.at(0)) == entry.key);
    bench.end();
}

TEST_CASE("a keeper that was killed is an error of the next put, and another one takes its place") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    const Pipe pipe;
    pipe.put(*client, "task");
    bench.kill();
    CHECK(std::filesystem::exists(bench.socket()));
    const int fd = pipe.reads.get();
    const auto put = client->put("task", {&fd, 1});
    REQUIRE_FALSE(put.ok());
    CHECK((put.error().code == EPIPE || put.error().code == ECONNRESET));
    CHECK(client->put("task", {&fd, 1}).error().code == EPIPE);
    CHECK(client->drop("task").error().code == EPIPE);
    CHECK_FALSE(client->status().ok());
    CHECK_FALSE(client->list(1s).ok());
    CHECK(Client::connect(bench.socket()).error().code == ECONNREFUSED);

    bench.start();
    const auto again = bench.connect();
    CHECK(list(*again).entries.empty());
    pipe.put(*again, "task");
    CHECK(list(*again).entries.size() == 1);
    bench.end();
}

TEST_CASE("a keeper that is ended closes what it held and leaves neither process nor socket") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    Pipe pipe;
    pipe.put(*client, "task");
    pipe.reads.reset();
    REQUIRE(status(*client).entries == 1);
    bench.end();
    ::signal(SIGPIPE, SIG_IGN);
    CHECK(::write(pipe.writes.get(), "x", 1) == -1);
    CHECK(errno == EPIPE);
    ::signal(SIGPIPE, SIG_DFL);
    CHECK(client->end().ok());
    CHECK(end_at(bench.socket()).ok());
}

TEST_CASE("the socket of a keeper that was killed is removed by who wants it ended") {
    Bench bench;
    bench.start();
    bench.kill();
    CHECK(end_at(bench.socket()).ok());
    CHECK_FALSE(std::filesystem::exists(bench.socket()));
}

TEST_CASE("who ends a keeper that had died leaves its successor alone") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    bench.kill();
    bench.start();
    CHECK(client->end().ok());
    CHECK(status(*bench.connect()).entries == 0);
    bench.end();
}

TEST_CASE("a keeper that does not answer is waited for no longer than was asked") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    ::kill(bench.pid(), SIGSTOP);
    CHECK(client->status(50ms).error().code == ETIMEDOUT);
    // Its answer may still come, and would be taken for another one.
    CHECK(client->status(50ms).error().code == EPIPE);
    CHECK(Client::connect(bench.socket(), 50ms).error().code == ETIMEDOUT);
    const Pipe pipe;
    const int fd = pipe.reads.get();
    CHECK(client->put("task", {&fd, 1}).error().code == EPIPE);
    ::kill(bench.pid(), SIGCONT);
    CHECK(status(*bench.connect()).entries == 0);
}

TEST_CASE("a keeper that does not keep up makes no put wait and loses none that returned") {
    Bench bench;
    bench.start();
    const auto client = bench.connect();
    const Pipe pipe;
    const int fd = pipe.reads.get();
    ::kill(bench.pid(), SIGSTOP);
    std::size_t count = 0;
    auto put = client->put("0", {&fd, 1});
    while (put.ok() && count < 100'000) put = client->put(std::to_string(++count), {&fd, 1});
    REQUIRE_FALSE(put.ok());
    CHECK((put.error().code == EAGAIN || put.error().code == ETOOMANYREFS));
    CHECK(count > 100);
    ::kill(bench.pid(), SIGCONT);
    CHECK(list(*client).entries.size() == count);
    bench.end();
}
