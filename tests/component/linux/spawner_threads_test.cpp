// How many threads spawn.
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
    for (int i = 0; i < count; ++i) all.push_back(bench.submit(SpawnBench::spec({"/bin/true"})));
    for (const core::Generation one : all) {
        const SpawnOutcome outcome = bench.wait_for(one);
        REQUIRE_FALSE(outcome.failure);
        CHECK(bench.end_of(outcome).code == 0);
    }
}

}  // namespace

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
