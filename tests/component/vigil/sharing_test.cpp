// One handle used by threads, by forked children and by signal handlers; what an exec inherits.
#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "supervisor_double.hpp"

using namespace vigil_test;

TEST_CASE("threads that beat at once lose no beat and tear none") {
    const Surroundings surroundings;
    Listener supervisor(surroundings.path("notify"));
    const Handle worker = open_handle(supervisor);
    constexpr int kThreads = 4;
    constexpr int kBeats = 2'000;
    std::atomic<int> running = kThreads;
    {
        std::vector<std::jthread> threads;
        threads.reserve(kThreads);
        for (int i = 0; i < kThreads; ++i)
            threads.emplace_back([&] {
                for (int sent = 0; sent < kBeats;) {
                    if (vigil_beat(worker.get()) == 0)
                        ++sent;
                    else
                        std::this_thread::yield();
                }
                --running;
            });
        int received = 0;
        while (const auto message = supervisor.next(std::chrono::seconds(20))) {
            if (message->text != "WATCHDOG=1") FAIL_CHECK("a torn message: " << message->text);
            if (++received == kThreads * kBeats) break;
        }
        CHECK(received == kThreads * kBeats);
    }
    CHECK(running == 0);
    CHECK_FALSE(supervisor.next());
}

TEST_CASE("threads that beat while their supervisor is replaced all find the new one") {
    const Surroundings surroundings;
    std::optional<Listener> supervisor(std::in_place, surroundings.path("notify"));
    const Handle worker = open_handle(*supervisor);
    std::atomic<bool> settled = false;
    std::atomic<int> found = 0;
    constexpr int kThreads = 3;
    {
        std::vector<std::jthread> threads;
        threads.reserve(kThreads);
        for (int i = 0; i < kThreads; ++i)
            threads.emplace_back([&] {
                while (!settled) vigil_beat(worker.get());
                // A full queue comes from the new one too.
                const int result = vigil_beat(worker.get());
                if (result == 0 || result == -EAGAIN) ++found;
            });
        for (int round = 0; round < 50; ++round) {
            supervisor.reset();
            supervisor.emplace(surroundings.path("notify"));
        }
        settled = true;
    }
    CHECK(found == kThreads);
    CHECK(supervisor->drain() > 0);
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(supervisor->next_text() == "WATCHDOG=1");
}

TEST_CASE("a forked child beats through the same handle under its own process id") {
    const Surroundings surroundings;
    Listener supervisor(surroundings.path("notify"));
    const Handle worker = open_handle(supervisor);
    const auto beat = [&] { return vigil_beat(worker.get()) == 0 ? 0 : 1; };

    CHECK(in_child(beat) == 0);
    const auto from_child = supervisor.next();
    REQUIRE(from_child);
    CHECK(from_child->text == "WATCHDOG=1");
    CHECK(from_child->sender != getpid());

    CHECK(beat() == 0);
    const auto from_parent = supervisor.next();
    REQUIRE(from_parent);
    CHECK(from_parent->sender == getpid());
}

TEST_CASE("a child that closes its handle leaves the parent's open") {
    const Surroundings surroundings;
    Listener supervisor(surroundings.path("notify"));
    Handle worker = open_handle(supervisor);
    CHECK(in_child([&] {
              worker.reset();
              return 0;
          }) == 0);
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(supervisor.next_text() == "WATCHDOG=1");
}

TEST_CASE("a forked child is not the process the watchdog waits for") {
    const Surroundings surroundings;
    Listener supervisor(surroundings.path("notify"));
    setenv("WATCHDOG_USEC", "3000000", 1);
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
    const Handle worker = open_handle(supervisor);
    CHECK(vigil_interval(worker.get()) == 1'000'000);
    CHECK(in_child([&] { return vigil_interval(worker.get()) == 0 ? 0 : 1; }) == 0);
}

static vigil_handle* beaten_by_handler;
static std::atomic<int> handler_result;

TEST_CASE("a signal handler may beat") {
    const Surroundings surroundings;
    Listener supervisor(surroundings.path("notify"));
    const Handle worker = open_handle(supervisor);
    beaten_by_handler = worker.get();
    handler_result = 1;
    const auto before = std::signal(SIGUSR1, [](int) { handler_result = vigil_beat(beaten_by_handler); });
    raise(SIGUSR1);
    std::signal(SIGUSR1, before);
    CHECK(handler_result == 0);
    CHECK(supervisor.next_text() == "WATCHDOG=1");
}

TEST_CASE("a program the worker starts does not inherit the handle") {
    const Surroundings surroundings;
    Listener supervisor(surroundings.path("notify"));
    const auto before = open_descriptors();
    const Handle worker = open_handle(supervisor);
    int opened = 0;
    for (const int fd : open_descriptors()) {
        if (before.contains(fd)) continue;
        ++opened;
        CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(opened == 1);
}

TEST_CASE("a worker started without standard streams does not print into the socket") {
    const Surroundings surroundings;
    Listener supervisor(surroundings.path("notify"));
    setenv("NOTIFY_SOCKET", supervisor.name(), 1);
    CHECK(in_child([] {
              for (const int fd : {0, 1, 2}) close(fd);
              vigil_handle* handle = nullptr;
              if (vigil_open(&handle) != 0 || vigil_ready(handle) != 0) return 1;
              for (const int fd : {0, 1, 2})
                  if (fcntl(fd, F_GETFD) != -1) return 2;
              return 0;
          }) == 0);
    CHECK(supervisor.next_text() == "READY=1");
    CHECK_FALSE(supervisor.next());
}
