// Processes of an adopted run that have left its group and its parent.
#include "linux/strays.hpp"

#include <signal.h>

#include "linux/process.hpp"
#include "linux/random_name.hpp"
#include "tree_support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

TEST_CASE("strays are known by the mark of their run, and only as long as they live") {
    SpawnBench bench;
    SpawnOutcome one = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
    const SpawnOutcome other = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
    Strays strays;
    CHECK_FALSE(strays.complete_since({}));
    REQUIRE(eventually([&] { return strays.refresh() && strays.of(one.invocation).size() == 1; }));
    CHECK(strays.of(one.invocation).front().pid == one.pid);
    CHECK(strays.of(one.invocation).front().start_time == read_process(one.pid)->start_time);
    CHECK(strays.has_group(one.pid));
    CHECK(strays.of(std::string(32, '0')).empty());
    CHECK(strays.of({}).empty());
    CHECK(strays.complete_since({}));
    CHECK_FALSE(strays.complete_since(Strays::Clock::now()));

    REQUIRE(signal_process(one.pidfd.get(), SIGKILL).ok());
    REQUIRE(eventually([&] { return strays.refresh() && strays.of(one.invocation).empty(); }));
    // A zombie by now, which is in the group as far as the kernel is concerned.
    CHECK_FALSE(strays.has_group(one.pid));
    CHECK(strays.has_group(other.pid));
    CHECK(strays.of(other.invocation).size() == 1);
}

TEST_CASE("a pass is not made again at once after one that took its time") {
    Strays strays;
    REQUIRE(strays.refresh());
    // A pass takes longer than it takes to ask for the next one.
    CHECK_FALSE(strays.refresh());
    CHECK(eventually([&] { return strays.refresh(); }));
}

TEST_CASE("an adopted tree of which the main process is gone goes on as long as a stray of it lives") {
    TreeBench bench(ways_without_cgroup().front());
    ProcessTree spawned = bench.shell("exec sleep 100");
    Strays strays;
    ProcessTree adopted(
        {.leader = spawned.leader() + 1,  // of a process that was reaped: nobody's, or a stranger's
         .pidfd = {},
         .invocation = spawned.invocation(),
         .cgroup = {},
         .end = ChildEnd{},
         .adopted = true,
         .strays = &strays},
        probe_features(), bench.orphans());
    REQUIRE(eventually([&] { return adopted.members().size() == 1; }));
    CHECK(adopted.members().front().pid == spawned.leader());
    CHECK_FALSE(adopted.empty());
    CHECK(adopted.kill_all().ok());
    REQUIRE(eventually([&] { return spawned.end_of_leader().has_value(); }));
    CHECK(spawned.end_of_leader()->status.signal == SIGKILL);
    CHECK(eventually([&] { return adopted.empty(); }));
}
