// Orphans: whose they are, and how they go.
#include "linux/process/orphans.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "linux/process/member_signals.hpp"
#include "linux/process/process.hpp"
#include "tree_support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

bool nobody(pid_t) {
    return false;
}

struct Subreaper {
    Subreaper() { REQUIRE(become_subreaper().ok()); }
};

/// Makes `count` zombies that hang on us.
void make_zombies(int count) {
    const pid_t parent = ::fork();
    REQUIRE(parent >= 0);
    if (parent == 0) {
        int made = 0;
        for (; made < count; ++made) {
            const pid_t child = ::fork();
            if (child == 0) ::_exit(0);
            if (child < 0) break;
        }
        ::_exit(made == count ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(parent, &status, 0) == parent);
    REQUIRE(WEXITSTATUS(status) == 0);
}

}  // namespace

TEST_CASE("nasty 20: 10,000 orphans that end at once are reaped in slices that hold up nobody") {
    for (const Way& way : ways_without_cgroup()) {
        CAPTURE(way.name);
        const NothingLeft nothing_left;
        const Subreaper subreaper;
        Orphans orphans(way.features, nobody);
        constexpr std::size_t kAll = 10'000;
        constexpr std::size_t kSlice = 512;
        make_zombies(kAll);
        std::size_t reaped = 0;
        std::size_t slices = 0;
        std::chrono::steady_clock::duration longest{};
        for (bool more = true; more; ++slices) {
            const auto before = std::chrono::steady_clock::now();
            const Orphans::Sweep sweep = orphans.reap(kSlice);
            if (way.features.proc_children) (void)orphans.refresh();
            longest = std::max(longest, std::chrono::steady_clock::now() - before);
            CHECK(sweep.reaped <= kSlice);
            reaped += sweep.reaped;
            more = sweep.more;
        }
        MESSAGE("longest slice " << std::chrono::duration_cast<std::chrono::microseconds>(longest).count()
                                 << " us");
        CHECK(reaped == kAll);
        CHECK(slices >= kAll / kSlice);
        CHECK(longest < 500ms);
        CHECK(eventually([&] { return orphans.refresh(); }));
        CHECK(orphans.size() == 0);
    }
}

TEST_CASE("nasty 20: a child that is claimed is left to whoever claims it") {
    SpawnBench bench;
    const Subreaper subreaper;
    const SpawnOutcome parent =
        bench.spawn(SpawnBench::shell("for i in 1 2 3 4 5 6 7 8 9 10; do true & done; exit 0"));
    const SpawnOutcome known = bench.spawn(SpawnBench::shell("exit 7"));
    REQUIRE(eventually([&] { return has_ended(parent.pidfd.get()) && has_ended(known.pidfd.get()); }));
    int asked = 0;
    Orphans orphans(Features{}, [&](pid_t pid) {
        if (pid == known.pid) ++asked;
        return pid == parent.pid || pid == known.pid;
    });
    std::size_t reaped = 0;
    CHECK(eventually([&] {
        const Orphans::Sweep sweep = orphans.reap(3);
        CHECK(sweep.reaped <= 3);
        reaped += sweep.reaped;
        return reaped == 10;
    }));
    // Main processes hang on the thread that spawned them: they do not even come up.
    CHECK_FALSE(orphans.reap(3).more);
    CHECK(asked == 0);
    CHECK(bench.end_of(parent).code == 0);
    const Orphans::Sweep everywhere = orphans.reap_everywhere(256);
    CHECK(asked >= 1);
    CHECK(everywhere.reaped == 0);
    CHECK(everywhere.more);
    CHECK(bench.end_of(known).code == 7);
}

TEST_CASE("children that were there before are reaped and otherwise left alone") {
    for (const Way& way : ways_without_cgroup()) {
        CAPTURE(way.name);
        const NothingLeft nothing_left;
        const pid_t child = ::fork();
        if (child == 0) {
            ::pause();
            ::_exit(0);
        }
        Orphans orphans(way.features, nobody);
        CHECK(eventually([&] { return orphans.refresh(); }));
        CHECK(orphans.size() == 0);
        CHECK(orphans.kill_all().ok());
        CHECK(::kill(child, 0) == 0);
        CHECK(read_process(child)->state != 'Z');
        ::kill(child, SIGKILL);
        CHECK(eventually([&] { return orphans.reap(10).reaped == 1; }));
    }
}

TEST_CASE("nasty 22: an orphan that clears its environment later on still belongs to its run") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        const std::string gate = bench.directory() / "gate";
        REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
        ProcessTree tree =
            bench.shell("( setsid sh -c 'read x < " + gate + "; exec env -i sleep 100' & ); exit 0");
        REQUIRE(eventually([&] { return tree.end_of_leader().has_value(); }));
        REQUIRE(eventually([&] { return tree.survivors().size() == 1; }));
        write_whole(gate, "\n", 0600);
        CHECK(eventually([&] {
            const auto left = tree.survivors();
            return left.size() == 1 && left.front().command == "sleep";
        }));
        CHECK_FALSE(tree.empty());
        CHECK(bench.ends(tree));
    }
}

TEST_CASE("nasty 22: who got away unknown is found in the cgroup, or ended with all orphans at the end") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        const std::string away = bench.directory() / "away";
        const std::string gate = bench.directory() / "gate";
        REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
        // The leader goes only once the other one has nothing left that could tell of it.
        ProcessTree tree = bench.shell("env -i setsid sh -c 'echo > " + away +
                                       "; exec sleep 100' & read x < " + gate + "; exit 0");
        REQUIRE(eventually([&] { return !read_whole(away).empty(); }));
        REQUIRE(eventually([&] { return tree.survivors().size() == 2; }));
        const Witness witness(tree.survivors());
        write_whole(gate, "\n", 0600);
        REQUIRE(eventually([&] { return tree.end_of_leader().has_value(); }));
        if (way.cgroup) {
            CHECK_FALSE(tree.empty());
            CHECK(bench.ends(tree));
        } else {
            CHECK(bench.empties(tree));
            CHECK_FALSE(witness.all_ended());
            CHECK(bench.orphans().size() == 1);
            CHECK(bench.orphans().kill_all().ok());
        }
        CHECK(eventually([&] { return witness.all_ended(); }));
    }
}

TEST_CASE("nasty 18: what a reaped orphan leaves behind is not overlooked because nobody has looked since") {
    for (const Way& way : ways_without_cgroup()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("setsid sh -c 'sleep 100 & wait' & exit 0");
        REQUIRE(eventually([&] { return tree.end_of_leader().has_value(); }));
        std::vector<Survivor> two;
        REQUIRE(eventually([&] {
            two = tree.survivors();
            return two.size() == 2 && (two[0].command == "sleep") != (two[1].command == "sleep");
        }));
        REQUIRE(eventually([&] { return bench.reap(); }));
        const Survivor& shell = two[0].command == "sleep" ? two[1] : two[0];
        REQUIRE(::kill(shell.pid, SIGKILL) == 0);
        CHECK(eventually([&] { return bench.orphans().reap(10).reaped == 1; }));
        CHECK_FALSE(tree.empty());
        CHECK(eventually([&] { return tree.survivors().size() == 1; }));
        CHECK(bench.ends(tree));
    }
}

TEST_CASE("orphans of one run are not those of another") {
    for (const Way& way : ways_without_cgroup()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree one = bench.shell("setsid sleep 100 & exit 0");
        ProcessTree other = bench.shell("setsid sleep 100 & setsid sleep 101 & exit 0");
        REQUIRE(eventually([&] { return one.end_of_leader() && other.end_of_leader(); }));
        CHECK(eventually([&] { return one.survivors().size() == 1 && other.survivors().size() == 2; }));
        CHECK(bench.ends(one));
        CHECK(other.survivors().size() == 2);
        CHECK(bench.ends(other));
    }
}

TEST_CASE("orphans are found while there are more of them than are asked at once") {
    for (const Way& way : ways_without_cgroup()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree =
            bench.shell("i=0; while [ $i -lt 400 ]; do setsid sleep 100 & i=$((i+1)); done; exit 0");
        REQUIRE(eventually([&] { return tree.end_of_leader().has_value(); }, 30s));
        CHECK_FALSE(tree.empty());
        CHECK(eventually([&] { return tree.survivors().size() == 400; }, 30s));
        CHECK(bench.ends(tree));
    }
}

TEST_CASE("nasty 23: whoever is found is killed however long the looking takes") {
    const pid_t pid = ::fork();
    if (pid == 0)
        for (;;) ::pause();
    REQUIRE(pid > 0);
    const auto entry = read_process(pid);
    REQUIRE(entry.has_value());
    const auto killed = kill_each([&] {
        // Longer than all rounds together may take.
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        return std::vector<ProcessEntry>{*entry};
    });
    CHECK(killed.ok());
    CHECK(*killed == Killed::all);
    int status = 0;
    CHECK(::waitpid(pid, &status, 0) == pid);
    CHECK(WTERMSIG(status) == SIGKILL);
}
