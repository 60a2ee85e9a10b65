// Processes of an adopted run that have left its group and its parent.
#include "linux/process/strays.hpp"

#include <signal.h>
#include <unistd.h>

#include <vector>

#include "linux/file/random_name.hpp"
#include "linux/process/process.hpp"
#include "linux/process/rest.hpp"
#include "linux/self/processor_time.hpp"
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

TEST_CASE("a look rests by what it took, and on a machine that starves it by what it worked") {
    CHECK(rest_after(10ms, 10ms) == 50ms);
    CHECK(rest_after(2s, 2s) == 10s);
    CHECK(rest_after(1min, 2ms) == 500ms);
    CHECK(rest_after(1min, 1s) == 5s);
    const auto before = processor_time_of_thread();
    ::usleep(50'000);
    CHECK(processor_time_of_thread() - before < 50ms);
}

TEST_CASE("a pass is not made again at once after one that took its time") {
    Strays strays;
    REQUIRE(strays.refresh());
    // A pass takes longer than it takes to ask for the next one.
    CHECK_FALSE(strays.refresh());
    CHECK(eventually([&] { return strays.refresh(); }));
}

TEST_CASE("what is left of many runs without a main process is found by one pass that serves all") {
    std::uint64_t before = 0;
    const auto reads = [] {
        const std::string counts = read_whole("/proc/thread-self/io");
        const std::size_t at = counts.find("syscr: ");
        return at == std::string::npos ? std::uint64_t{0} : std::stoull(counts.substr(at + 7));
    };
    if (reads() == 0) {
        MESSAGE("SKIPPED: the kernel does not count what a thread reads");
        return;
    }
    TreeBench bench(ways_without_cgroup().front());
    // A pass reads something of each of them, and of everybody else.
    constexpr int kProcesses = 40;
    ProcessTree spawned = bench.shell("for i in $(seq " + std::to_string(kProcesses) +
                                      "); do sleep 100 & done; exec sleep 100");
    Strays strays;
    REQUIRE(eventually([&] {
        return strays.in_group(spawned.leader()).size() == kProcesses + 1 || (strays.refresh() && false);
    }));
    REQUIRE(eventually([&] { return strays.none_since({}, kNobody) || (strays.refresh() && false); }));
    REQUIRE(eventually([&] {
        before = reads();
        return strays.refresh();
    }));
    const std::uint64_t one_pass = reads() - before;
    CHECK(one_pass >= kProcesses);
    std::vector<ProcessTree> left;
    left.reserve(40);
    for (int i = 0; i < 40; ++i)
        left.emplace_back(ProcessTree::Parts{.leader = spawned.leader(),
                                             .pidfd = {},
                                             .invocation = spawned.invocation(),
                                             .cgroup = {},
                                             .end = ChildEnd{},
                                             .strays = &strays},
                          probe_features(), bench.orphans());
    before = reads();
    for (ProcessTree& tree : left) CHECK_FALSE(tree.empty());
    CHECK(reads() - before < 10 * one_pass);
    CHECK(left.back().survivors().size() == kProcesses + 1);
    CHECK(bench.ends(spawned));
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
    churn.reserve(4);
    for (int count = 0; count < 4; ++count)
        churn.push_back(bench.shell("while :; do /bin/true & /bin/true & /bin/true & wait; done"));
    ProcessTree spawned = bench.shell("exec sleep 100");
    Strays strays;
    ProcessTree adopted({.leader = spawned.leader(),
                         .pidfd = open_pidfd(spawned.leader()).value(),
                         .invocation = spawned.invocation(),
                         .cgroup = {},
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
