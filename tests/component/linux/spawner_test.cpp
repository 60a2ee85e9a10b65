// The spawner as a machine: queue, threads, stuck children, clean ends.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "linux/process/process.hpp"
#include "linux/spawn/spawner.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;
using core::SpawnStage;

namespace {

constexpr const char* kStuckPlace = "/held";

/// A spec whose child waits before its chdir, as on a dead mount.
core::TaskSpec stuck() {
    auto spec = SpawnBench::spec({"/bin/true"});
    spec.launch.edit().cwd = kStuckPlace;
    return spec;
}

void hold_stuck(SpawnerOptions& options) {
    options.hold = [](const SpawnJob& job) { return job.spec->launch->cwd == kStuckPlace; };
}

bool readable(int fd) {
    pollfd look{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&look, 1, 0) == 1;
}

/// A gate in the look-up of a spawn, which no signal can open: what a hanging directory server looks like.
class Gate {
  public:
    void wait() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    [[nodiscard]] int waiting() {
        const std::lock_guard lock(mutex_);
        return waiting_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    int waiting_ = 0;
};

void wait_at(SpawnerOptions& options, const std::shared_ptr<Gate>& gate) {
    options.language.expand = [gate](std::string_view value,
                                     const VariableLookup&) -> Result<std::string, std::string> {
        if (value == "hang") gate->wait();
        return std::string(value);
    };
}

core::TaskSpec hanging() {
    auto spec = SpawnBench::spec({"/bin/true"});
    spec.launch.edit().env = {{"X", "hang"}};
    return spec;
}

}  // namespace

TEST_CASE("nasty 72: 300 spawns in a row leak no descriptor and leave no zombie") {
    SpawnBench bench;
    auto spec = SpawnBench::spec({"/bin/true"});
    spec.heartbeat.emplace();
    spec.heartbeat->pipe = true;
    bench.run(spec);
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 300; ++i) bench.run(spec);
    CHECK(open_descriptors() == before);
}

TEST_CASE("300 spawns at once are all answered, each once") {
    SpawnBench bench;
    std::vector<core::Generation> all;
    all.reserve(300);
    for (int i = 0; i < 300; ++i) all.push_back(bench.submit(SpawnBench::spec({"/bin/true"})));
    for (const auto generation : all) {
        const SpawnOutcome outcome = bench.wait_for(generation);
        CHECK(bench.end_of(outcome).code == 0);
    }
    CHECK(bench.spawner().load().queued == 0);
    CHECK(eventually([&] { return bench.spawner().load().in_flight == 0; }));
    // More where the machine is busy with other things (see spawner_threads_test.cpp).
    CHECK(bench.spawner().load().threads <= SpawnerOptions().max_threads);
}

TEST_CASE("readable_fd tells when there is something to take") {
    SpawnBench bench;
    CHECK_FALSE(readable(bench.spawner().readable_fd()));
    const auto generation = bench.submit(SpawnBench::spec({"/bin/true"}));
    CHECK(eventually([&] { return readable(bench.spawner().readable_fd()); }));
    const SpawnOutcome outcome = bench.wait_for(generation);
    CHECK_FALSE(readable(bench.spawner().readable_fd()));
    CHECK(bench.end_of(outcome).code == 0);
}

TEST_CASE("a spawned process is owned by the spawner until its outcome was taken") {
    SpawnBench bench;
    pid_t record = 0;
    const auto generation = bench.submit(SpawnBench::spec({"/bin/true"}), std::nullopt, &record);
    REQUIRE(eventually([&] { return readable(bench.spawner().readable_fd()); }));
    CHECK(bench.spawner().owns(__atomic_load_n(&record, __ATOMIC_SEQ_CST)));
    const SpawnOutcome outcome = bench.wait_for(generation);
    CHECK_FALSE(bench.spawner().owns(outcome.pid));
    CHECK(bench.end_of(outcome).code == 0);
}

TEST_CASE("nasty 11: children on a dead mount hold up no other spawn") {
    SpawnBench bench([](SpawnerOptions& options) {
        hold_stuck(options);
        options.grow_after = 20ms;
    });
    for (int i = 0; i < 5; ++i) bench.submit(stuck());
    const SpawnOutcome outcome = bench.spawn(SpawnBench::spec({"/bin/true"}));
    CHECK(bench.end_of(outcome).code == 0);
    CHECK(bench.spawner().load().in_flight == 5);
    CHECK(bench.spawner().load().threads == 6);
}

TEST_CASE("nasty 11: a stuck spawn is given up with its stage and ETIMEDOUT") {
    SpawnBench bench([](SpawnerOptions& options) {
        hold_stuck(options);
        options.stuck_timeout = 1s;
    });
    const SpawnOutcome outcome = bench.spawn(stuck());
    REQUIRE(outcome.failure);
    CHECK(static_cast<int>(outcome.failure->stage) == static_cast<int>(SpawnStage::cwd));
    CHECK(outcome.failure->error == ETIMEDOUT);
    CHECK(outcome.failure->detail == kStuckPlace);
}

TEST_CASE("nasty 11: a stuck child is killed when its spawn is cancelled") {
    SpawnBench bench(hold_stuck);
    pid_t record = 0;
    const auto generation = bench.submit(stuck(), std::nullopt, &record);
    REQUIRE(eventually([&] { return __atomic_load_n(&record, __ATOMIC_SEQ_CST) != 0; }));
    CHECK(bench.spawner().owns(__atomic_load_n(&record, __ATOMIC_SEQ_CST)));
    CHECK(bench.spawner().cancel(core::TaskId{7}, generation) == Spawner::Cancelled::killed);
    const SpawnOutcome outcome = bench.wait_for(generation);
    CHECK(outcome.failure->error == ECANCELED);
    CHECK(bench.spawner().cancel(core::TaskId{7}, generation) == Spawner::Cancelled::unknown);
}

TEST_CASE("nasty 11: a stopped child holds up only itself and is killed like any other") {
    SpawnBench bench([](SpawnerOptions& options) {
        hold_stuck(options);
        options.stuck_timeout = 200ms;
    });
    pid_t record = 0;
    const auto generation = bench.submit(stuck(), std::nullopt, &record);
    REQUIRE(eventually([&] { return __atomic_load_n(&record, __ATOMIC_SEQ_CST) != 0; }));
    REQUIRE(::kill(record, SIGSTOP) == 0);
    CHECK(bench.wait_for(generation).failure->error == ETIMEDOUT);
}

TEST_CASE("a queued spawn that is cancelled never happens") {
    SpawnBench bench([](SpawnerOptions& options) {
        hold_stuck(options);
        options.max_threads = 2;
    });
    bench.submit(stuck());
    bench.submit(stuck());
    REQUIRE(eventually([&] { return bench.spawner().load().in_flight == 2; }));
    const auto queued = bench.submit(SpawnBench::spec({"/bin/true"}));
    CHECK(bench.spawner().cancel(core::TaskId{7}, queued) == Spawner::Cancelled::dropped);
    CHECK(bench.spawner().load().queued == 0);
    CHECK(bench.spawner().cancel(core::TaskId{8}, queued) == Spawner::Cancelled::unknown);
}

TEST_CASE("a spawn that is cancelled at any moment ends in one outcome and no process") {
    SpawnBench bench;
    std::map<Spawner::Cancelled, int> seen;
    for (int i = 0; i < 200; ++i) {
        const auto generation = bench.submit(SpawnBench::spec({"/bin/sleep", "100"}));
        for (int spin = 0; spin < i * 20; ++spin) static_cast<void>(bench.spawner().readable_fd());
        ::usleep(static_cast<useconds_t>(i));
        const auto answer = bench.spawner().cancel(core::TaskId{7}, generation);
        ++seen[answer];
        if (answer == Spawner::Cancelled::dropped) continue;
        SpawnOutcome outcome = bench.wait_for(generation);
        if (answer == Spawner::Cancelled::killed && outcome.failure)
            CHECK(outcome.failure->error == ECANCELED);
        finish_off(outcome);
    }
    CHECK(seen.size() >= 1);
}

TEST_CASE("nasty 88: a look-up that hangs is given up, and others go on") {
    const auto gate = std::make_shared<Gate>();
    {
        SpawnBench bench([&](SpawnerOptions& options) {
            wait_at(options, gate);
            options.stuck_timeout = 100ms;
            options.grow_after = 20ms;
        });
        const auto first = bench.submit(hanging());
        const auto second = bench.submit(hanging());
        const SpawnOutcome other = bench.spawn(SpawnBench::spec({"/bin/true"}));
        CHECK(bench.end_of(other).code == 0);
        for (const auto generation : {first, second}) {
            const SpawnOutcome outcome = bench.wait_for(generation);
            CHECK(static_cast<int>(outcome.failure->stage) ==
                  static_cast<int>(SpawnStage::prepare_environment));
            CHECK(outcome.failure->error == ETIMEDOUT);
        }
        // What comes back late makes no process and no second outcome.
        gate->open();
        CHECK(eventually([&] { return bench.spawner().load().in_flight == 0; }));
        CHECK_FALSE(bench.has_outcome(first));
    }
}

TEST_CASE("nasty 88: when every thread hangs, what waits is answered with EAGAIN, the host's fault") {
    const auto gate = std::make_shared<Gate>();
    SpawnBench bench([&](SpawnerOptions& options) {
        wait_at(options, gate);
        options.stuck_timeout = 100ms;
        options.grow_after = 10ms;
        options.max_threads = 3;
    });
    for (int i = 0; i < 3; ++i) bench.submit(hanging());
    REQUIRE(eventually([&] { return gate->waiting() == 3; }));
    const SpawnOutcome outcome = bench.spawn(SpawnBench::spec({"/bin/true"}));
    CHECK(outcome.failure->error == EAGAIN);
    CHECK(outcome.failure->detail.find("all 3 spawn threads") != std::string::npos);
    gate->open();
    CHECK(eventually([&] { return bench.spawner().load().in_flight == 0; }));
}

TEST_CASE("nasty 88: a cancelled look-up is answered at once") {
    const auto gate = std::make_shared<Gate>();
    SpawnBench bench([&](SpawnerOptions& options) { wait_at(options, gate); });
    const auto generation = bench.submit(hanging());
    REQUIRE(eventually([&] { return gate->waiting() == 1; }));
    CHECK(bench.spawner().cancel(core::TaskId{7}, generation) == Spawner::Cancelled::killed);
    CHECK(bench.has_outcome(generation));
    gate->open();
    CHECK(eventually([&] { return bench.spawner().load().in_flight == 0; }));
}

TEST_CASE("nasty 80: a spawner that goes kills what has not got to its exec, and what nobody took") {
    const NothingLeft nothing_left;
    SpawnBench bench(hold_stuck);
    bench.submit(stuck());
    bench.submit(SpawnBench::spec({"/bin/sleep", "100"}));
    REQUIRE(eventually([&] { return readable(bench.spawner().readable_fd()); }));
}

TEST_CASE("nasty 88: a spawner can go while a look-up hangs") {
    const auto gate = std::make_shared<Gate>();
    std::size_t before = 0;
    {
        SpawnerOptions options;
        wait_at(options, gate);
        before = open_descriptors();
        auto spawner = Spawner::create(std::move(options)).value().release();
        spawner->submit({.task = core::TaskId{1},
                         .generation = core::Generation{1},
                         .spec = std::make_shared<const core::TaskSpec>(hanging())});
        REQUIRE(eventually([&] { return gate->waiting() == 1; }));
        delete spawner;
    }
    CHECK(open_descriptors() > before);
    gate->open();
    // The thread that was left behind lets go of the last of it.
    CHECK(eventually([&] { return open_descriptors() == before; }));
}

TEST_CASE("nasty 83: a spawn works, and its exit is seen, whatever is done with SIGCHLD") {
    sigset_t blocked;
    sigset_t before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGCHLD);
    REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
    {
        SpawnBench bench;
        bench.run(SpawnBench::spec({"/bin/true"}));
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
