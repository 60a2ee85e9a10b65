// How a handle lives with a supervisor that stalls, dies and comes back.
#include "supervisor_double.hpp"

using namespace vigil_test;

TEST_CASE("a supervisor that does not read never blocks the worker") {
    const Surroundings surroundings;
    Listener stalled(surroundings.path("notify"));
    const Handle worker = open_handle(stalled);
    const int taken = fill_with_beats(worker.get());
    CHECK(taken > 0);
    CHECK(vigil_beat(worker.get()) == -EAGAIN);
    CHECK(vigil_status(worker.get(), "still here") == -EAGAIN);

    CHECK(stalled.drain() == static_cast<std::size_t>(taken));
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(stalled.next_text() == "WATCHDOG=1");
}

TEST_CASE("the first message after a supervisor was replaced reaches the new one") {
    const Surroundings surroundings;
    std::optional<Listener> supervisor(std::in_place, surroundings.path("notify"));
    const Handle worker = open_handle(*supervisor);
    CHECK(vigil_beat(worker.get()) == 0);
    for (int round = 0; round < 3; ++round) {
        supervisor.reset();
        supervisor.emplace(surroundings.path("notify"));
        CHECK(vigil_beat(worker.get()) == 0);
        CHECK(supervisor->next_text() == "WATCHDOG=1");
    }
}

TEST_CASE("while there is no supervisor a beat says why, and the next supervisor is found") {
    const Surroundings surroundings;
    std::optional<Listener> supervisor(std::in_place, surroundings.path("notify"));
    const Handle worker = open_handle(*supervisor);
    supervisor.reset();
    CHECK(vigil_beat(worker.get()) == -ENOENT);
    CHECK(vigil_beat(worker.get()) == -ENOENT);
    supervisor.emplace(surroundings.path("notify"));
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(supervisor->next_text() == "WATCHDOG=1");
}

TEST_CASE("a socket file that nobody listens on refuses the beat") {
    const Surroundings surroundings;
    {
        Listener supervisor(surroundings.path("notify"));
        std::filesystem::create_hard_link(surroundings.path("notify"), surroundings.path("left-over"));
    }
    setenv("NOTIFY_SOCKET", surroundings.path("left-over").c_str(), 1);
    const Handle worker = open_handle();
    CHECK(vigil_beat(worker.get()) == -ECONNREFUSED);
    std::filesystem::remove(surroundings.path("left-over"));
}

TEST_CASE("a worker may start before its supervisor listens") {
    const Surroundings surroundings;
    setenv("NOTIFY_SOCKET", surroundings.path("notify").c_str(), 1);
    const Handle worker = open_handle();
    CHECK(vigil_ready(worker.get()) == -ENOENT);
    Listener supervisor(surroundings.path("notify"));
    CHECK(vigil_ready(worker.get()) == 0);
    CHECK(supervisor.next_text() == "READY=1");
}

TEST_CASE("a receiver that its supervisor left behind full is abandoned for the new one") {
    const Surroundings surroundings;
    Listener left_behind(surroundings.path("notify"));
    const Handle worker = open_handle(left_behind);
    fill_with_beats(worker.get());
    left_behind.unlink_name();
    Listener successor(surroundings.path("notify"));
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(successor.next_text() == "WATCHDOG=1");
}

TEST_CASE("a worker that can no longer see the socket's path still reaches its supervisor") {
    const Surroundings surroundings;
    Listener supervisor(surroundings.path("notify"));
    const Handle worker = open_handle(supervisor);
    supervisor.unlink_name();
    CHECK(vigil_beat(worker.get()) == 0);
    CHECK(supervisor.next_text() == "WATCHDOG=1");
    CHECK(fill_with_beats(worker.get()) > 0);
    supervisor.drain();
    CHECK(vigil_beat(worker.get()) == 0);
}
