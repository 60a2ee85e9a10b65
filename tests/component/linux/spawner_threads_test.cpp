// How many threads spawn, and when they tell.
#include <poll.h>

#include <atomic>
#include <thread>

#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

constexpr unsigned kMostThreads = 4;

/// One thread to begin with; each spawn is held up for far longer than one takes.
void hold_each_up(SpawnerOptions& options) {
    options.threads = 1;
    options.max_threads = kMostThreads;
    options.before_child = [](const SpawnJob&, const RunDescriptors&) { std::this_thread::sleep_for(5ms); };
}

void spawn_many(SpawnBench& bench, int count) {
    std::vector<core::Generation> all;
    all.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) all.push_back(bench.submit(SpawnBench::spec({"/bin/true"})));
    for (const core::Generation one : all) {
        const SpawnOutcome outcome = bench.wait_for(one);
        REQUIRE_FALSE(outcome.failure);
        CHECK(bench.end_of(outcome).code == 0);
    }
}

bool told(const SpawnBench& bench) {
    pollfd look{.fd = bench.spawner().readable_fd(), .events = POLLIN, .revents = 0};
    return ::poll(&look, 1, 0) == 1;
}

/// One thread, and three spawns that it begins when all are there: the second one is held up, the last one
/// waits behind it.
struct Jam {
    explicit Jam(std::chrono::milliseconds watcher_looks_after)
        : bench([&](SpawnerOptions& options) {
              options.threads = 1;
              options.max_threads = 1;
              options.grow_after = watcher_looks_after;
              options.stuck_timeout = std::chrono::minutes(10);
              options.before_child = [this](const SpawnJob&, const RunDescriptors&) {
                  while (!all_there) std::this_thread::sleep_for(1ms);
              };
              options.hold = [](const SpawnJob& job) { return job.spec->launch->cwd == "/tmp"; };
          }) {
        first = bench.submit(SpawnBench::spec({"/bin/true"}));
        auto spec = SpawnBench::spec({"/bin/true"});
        spec.launch.edit().cwd = "/tmp";
        held = bench.submit(spec, std::nullopt, &held_pid);
        last = bench.submit(SpawnBench::spec({"/bin/true"}));
        all_there = true;
        REQUIRE(eventually([&] { return __atomic_load_n(&held_pid, __ATOMIC_SEQ_CST) != 0; }));
    }
    ~Jam() { bench.spawner().cancel(core::TaskId{7}, held); }

    std::atomic<bool> all_there = false;
    pid_t held_pid = 0;
    core::Generation first{};
    core::Generation held{};
    core::Generation last{};
    SpawnBench bench;
};

}  // namespace

TEST_CASE("what is spawned is told of though all threads are held up behind it") {
    Jam jam(10ms);
    CHECK(eventually([&] { return told(jam.bench); }));
    CHECK(jam.bench.has_outcome(jam.first));
    CHECK_FALSE(jam.bench.has_outcome(jam.last));
}

TEST_CASE("what is spawned is told of together, and at once when nobody waits any more") {
    Jam jam(std::chrono::minutes(1));
    CHECK_FALSE(told(jam.bench));
    CHECK(jam.bench.spawner().cancel(core::TaskId{7}, jam.last) == Spawner::Cancelled::dropped);
    CHECK(told(jam.bench));
    CHECK(jam.bench.has_outcome(jam.first));
}

TEST_CASE("spawns that take their time while many wait get more threads") {
    SpawnBench bench(hold_each_up);
    spawn_many(bench, 40);
    CHECK(bench.spawner().load().threads == kMostThreads);
}

TEST_CASE("spawns that take their time while few wait get none") {
    SpawnBench bench(hold_each_up);
    spawn_many(bench, 4);
    CHECK(bench.spawner().load().threads == 1);
}
