// Processes of an adopted run that have left its group and its parent.
#include "linux/strays.hpp"

#include <signal.h>

#include <vector>

#include "linux/process.hpp"
#include "linux/random_name.hpp"
#include "tree_support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

const std::string kNobody(32, '0');

/// A run whose main process was reaped before we came: its number is nobody's, or a stranger's.
ProcessTree without_main_process(const ProcessTree& spawned, Strays& strays, TreeBench& bench) {
    return ProcessTree({.leader = spawned.leader() + 1,
                        .pidfd = {},
                        .invocation = spawned.invocation(),
                        .cgroup = {},
                        .end = ChildEnd{},
                        .adopted = true,
                        .strays = &strays},
                       probe_features(), bench.orphans());
}

}  // namespace

TEST_CASE("strays are known by the mark of their run, and only as long as they live") {
    SpawnBench bench;
    SpawnOutcome one = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
    const SpawnOutcome other = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
    Strays strays;
    CHECK_FALSE(strays.none_since({}, one.invocation));
    CHECK_FALSE(strays.none_since({}, kNobody));
    REQUIRE(eventually([&] { return strays.refresh() && strays.of(one.invocation).size() == 1; }));
    CHECK(strays.of(one.invocation).front().pid == one.pid);
    CHECK(strays.of(one.invocation).front().start_time == read_process(one.pid)->start_time);
    CHECK(strays.has_group(one.pid));
    CHECK(strays.of(kNobody).empty());
    CHECK(strays.of({}).empty());
    CHECK(eventually([&] { return strays.none_since({}, kNobody) || (strays.refresh() && false); }));
    CHECK_FALSE(strays.none_since({}, one.invocation));
    CHECK_FALSE(strays.none_since(Strays::Clock::now(), kNobody));

    REQUIRE(signal_process(one.pidfd.get(), SIGKILL).ok());
    REQUIRE(eventually([&] { return strays.refresh() && strays.of(one.invocation).empty(); }));
    // A zombie by now, which is in the group as far as the kernel is concerned.
    CHECK_FALSE(strays.has_group(one.pid));
    CHECK(strays.has_group(other.pid));
    CHECK(strays.of(other.invocation).size() == 1);
    CHECK(eventually([&] { return strays.none_since({}, one.invocation) || (strays.refresh() && false); }));
    CHECK_FALSE(strays.none_since({}, other.invocation));
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
    ProcessTree adopted = without_main_process(spawned, strays, bench);
    REQUIRE(eventually([&] { return adopted.members().size() == 1; }));
    CHECK(adopted.members().front().pid == spawned.leader());
    CHECK_FALSE(adopted.empty());
    CHECK(adopted.kill_all().ok());
    REQUIRE(eventually([&] { return spawned.end_of_leader().has_value(); }));
    CHECK(spawned.end_of_leader()->status.signal == SIGKILL);
    CHECK(eventually([&] { return adopted.empty(); }));
}

TEST_CASE("a run of which nothing is left is over, however many processes are born and end all the time") {
    TreeBench bench(ways_without_cgroup().front());
    std::vector<ProcessTree> churn;
    for (int count = 0; count < 4; ++count)
        churn.push_back(bench.shell("while :; do /bin/true & /bin/true & /bin/true & wait; done"));
    ProcessTree spawned = bench.shell("exec sleep 100");
    Strays strays;
    ProcessTree adopted({.leader = spawned.leader(),
                         .pidfd = open_pidfd(spawned.leader()).value(),
                         .invocation = spawned.invocation(),
                         .cgroup = {},
                         .adopted = true,
                         .strays = &strays},
                        probe_features(), bench.orphans());
    REQUIRE(eventually([&] { return adopted.members().size() == 1; }));
    CHECK(adopted.kill_all().ok());
    REQUIRE(eventually([&] { return adopted.end_of_leader().has_value(); }));
    CHECK(eventually([&] { return adopted.empty(); }));
    for (ProcessTree& tree : churn) CHECK(bench.ends(tree));
}

TEST_CASE("a process whose first thread has ended is known by its mark, which the other threads show") {
    TreeBench bench(ways_without_cgroup().front());
    const std::string told = bench.directory() / "told";
    ProcessTree spawned = bench.spawn(SpawnBench::spec({VIGIL_HEADLESS, told}));
    REQUIRE(eventually([&] { return !read_whole(told).empty(); }));
    Strays strays;
    ProcessTree adopted = without_main_process(spawned, strays, bench);
    CHECK_FALSE(adopted.empty());
    // One pass asks a bounded number, and the machine may have more.
    REQUIRE(eventually(
        [&] { return strays.of(spawned.invocation()).size() == 1 || (strays.refresh() && false); }));
    CHECK_FALSE(adopted.empty());
    CHECK(adopted.kill_all().ok());
    REQUIRE(eventually([&] { return spawned.end_of_leader().has_value(); }));
    CHECK(eventually([&] { return adopted.empty(); }));
}
