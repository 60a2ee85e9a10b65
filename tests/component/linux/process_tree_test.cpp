// Trees of processes: with a cgroup, and without one.
#include "linux/process/process_tree.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "linux/process/process.hpp"
#include "linux/process/tree_usage.hpp"
#include "tree_support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;
using core::ExitStatus;
using core::effect::SignalTarget;

namespace {

ExitStatus code(int value) {
    return {.kind = ExitStatus::Kind::code, .code = value};
}
ExitStatus by_signal(int value) {
    return {.kind = ExitStatus::Kind::signal, .signal = value};
}

bool leader_ended(ProcessTree& tree) {
    return eventually([&] { return tree.end_of_leader().has_value(); }, 30s);
}

bool has_survivors(ProcessTree& tree, std::size_t count) {
    return eventually([&] { return tree.survivors().size() == count; }, 30s);
}

bool has_only(ProcessTree& tree, const std::string& command) {
    return eventually(
        [&] {
            const auto left = tree.survivors();
            return left.size() == 1 && left.front().command == command;
        },
        30s);
}

}  // namespace

TEST_CASE("a tree of one process is empty as soon as that is reaped") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("exit 3");
        REQUIRE(leader_ended(tree));
        CHECK(tree.end_of_leader()->status == code(3));
        // At once, without anyone looking after orphans, unless that takes a pass over /proc. A cgroup takes
        // the kernel a moment.
        if (way.features.proc_children && !way.cgroup) CHECK(tree.empty());
        CHECK(bench.empties(tree));
        CHECK(tree.survivors().empty());
    }
}

TEST_CASE("nasty 21: a tree whose number went to a stranger leaves the stranger alone") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("exit 0");
        REQUIRE(bench.empties(tree));
        ProcessTree stranger = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
        // As if the number had come round: the tree is over, and says nothing to anyone.
        ProcessTree same_number({.leader = stranger.leader(),
                                 .pidfd = UniqueFd(::dup(tree.pidfd())),
                                 .invocation = {},
                                 .cgroup = {}},
                                way.features, bench.orphans());
        CHECK(same_number.end_of_leader().has_value());
        CHECK(tree.kill_all().ok());
        CHECK(tree.ask(SignalTarget::tree, SIGKILL).ok());
        CHECK(tree.signal_leader(SIGKILL).ok());
        CHECK(tree.survivors().empty());
        CHECK_FALSE(stranger.end_of_leader());
        CHECK(bench.ends(stranger));
    }
}

TEST_CASE("nasty 18: a tree is not empty while a child of the dead leader lives, and ends by kill_all") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("sleep 100 & exit 5");
        REQUIRE(leader_ended(tree));
        CHECK(tree.end_of_leader()->status == code(5));
        CHECK_FALSE(tree.empty());
        CHECK(has_only(tree, "sleep"));
        CHECK(tree.kill_all().ok());
        CHECK(bench.empties(tree));
        CHECK(tree.survivors().empty());
    }
}

TEST_CASE(
    "nasty 77: what a main process left behind that ended before we came is found by its group and its "
    "mark") {
    for (const Way& way : ways_without_cgroup()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("sleep 100 & (sleep 101; :) & exit 0");
        REQUIRE(leader_ended(tree));
        // They are orphans of somebody else.
        Orphans orphans(way.features, [](pid_t) { return true; });
        Strays strays;
        const auto found_late = [&](std::string invocation) {
            return ProcessTree({.leader = tree.leader(),
                                .pidfd = {},
                                .invocation = std::move(invocation),
                                .cgroup = {},
                                .end = ChildEnd{},
                                .strays = &strays},
                               way.features, orphans);
        };
        ProcessTree other_run = found_late(std::string(32, '0'));
        CHECK(eventually([&] { return other_run.empty(); }));
        ProcessTree late = found_late(tree.invocation());
        CHECK_FALSE(late.empty());
        CHECK(has_survivors(late, 3));
        CHECK(late.ask(SignalTarget::tree, SIGTERM).ok());
        CHECK(bench.empties(late));
        CHECK(bench.empties(tree));
    }
}

TEST_CASE("nasty 18: a tree whose leader lives is not empty, and its leader ends by a signal of its own") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("exec sleep 100");
        CHECK_FALSE(tree.end_of_leader());
        CHECK_FALSE(tree.empty());
        CHECK(tree.ask(SignalTarget::main, SIGTERM).ok());
        REQUIRE(bench.empties(tree));
        CHECK(tree.end_of_leader()->status == by_signal(SIGTERM));
    }
}

TEST_CASE("nasty 25: a stopped process acts on the signal it is asked to end by") {
    for (const Way& way : all_ways()) {
        for (const SignalTarget to : {SignalTarget::main, SignalTarget::group, SignalTarget::tree}) {
            CAPTURE(way.name);
            CAPTURE(static_cast<int>(to));
            TreeBench bench(way);
            ProcessTree tree = bench.shell("trap 'exit 9' TERM; kill -STOP $$; exit 1");
            REQUIRE(eventually([&] { return read_process(tree.leader())->state == 'T'; }));
            CHECK(tree.ask(to, SIGTERM).ok());
            REQUIRE(leader_ended(tree));
            CHECK(tree.end_of_leader()->status == code(9));
            CHECK(bench.empties(tree));
        }
    }
}

TEST_CASE("a frozen tree stands still until it is thawed, those that left the session included") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        const std::string file = bench.directory() / "beats";
        const auto size = [&] { return read_whole(file).size(); };
        // The loop starts no process: it stands still with the shell.
        ProcessTree tree = bench.shell("setsid sh -c 'while :; do echo >> " + file + "; done' & wait");
        REQUIRE(eventually([&] { return size() > 0; }));
        REQUIRE(tree.freeze(true).ok());
        std::size_t last = 0;
        CHECK(eventually([&] {
            const std::size_t before = std::exchange(last, size());
            ::usleep(20'000);
            return before == last && size() == last;
        }));
        REQUIRE(tree.freeze(false).ok());
        CHECK(eventually([&] { return size() > last; }));
        REQUIRE(tree.freeze(true).ok());
        CHECK(bench.ends(tree));
    }
}

TEST_CASE("nasty 29: a setsid grandchild that survives the leader is found and ended") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("setsid sh -c 'sleep 100 & wait' & exit 0");
        REQUIRE(leader_ended(tree));
        CHECK_FALSE(tree.empty());
        REQUIRE(has_survivors(tree, 2));
        const Witness witness(tree.survivors());
        CHECK(bench.ends(tree));
        CHECK(witness.all_ended());
    }
}

TEST_CASE("nasty 22: a daemon of a double fork ends by the signal that the rest of its tree gets") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("( setsid sleep 100 & ); exit 4");
        REQUIRE(leader_ended(tree));
        CHECK(tree.end_of_leader()->status == code(4));
        REQUIRE(has_only(tree, "sleep"));
        CHECK_FALSE(tree.empty());
        CHECK(tree.ask(SignalTarget::group, SIGTERM).ok());
        CHECK(tree.survivors().size() == 1);
        CHECK(tree.ask(SignalTarget::tree, SIGTERM).ok());
        CHECK(bench.empties(tree));
    }
}

TEST_CASE("only those outside of the leader's group get what is sent outside of it") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("setsid sleep 100 & sleep 101 & sleep 102");
        REQUIRE(eventually([&] {
            const auto all = tree.members();
            const auto outside = std::count_if(all.begin(), all.end(), [&](const ProcessEntry& one) {
                return one.command == "sleep" && one.group != tree.leader();
            });
            return all.size() == 4 && outside == 1;
        }));
        CHECK(tree.ask(SignalTarget::outside_group, SIGTERM).ok());
        CHECK(has_survivors(tree, 3));
        CHECK_FALSE(tree.end_of_leader());
        CHECK(tree.ask(SignalTarget::group, SIGTERM).ok());
        CHECK(bench.empties(tree));
    }
}

TEST_CASE(
    "nasty 22, 24, 29: nobody escapes a leader that ignores SIGTERM, whatever they changed of themselves") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell(
            "trap '' TERM; setsid sh -c 'sleep 100 & sleep 101 & wait' & ( setsid sleep 102 & );"
            "env -i setsid sleep 103 & set -m; sleep 104 & sleep 105");
        REQUIRE(has_survivors(tree, 8));
        REQUIRE(eventually([&] {
            const auto all = tree.survivors();
            return std::count_if(all.begin(), all.end(),
                                 [](const Survivor& s) { return s.command == "sleep"; }) == 6;
        }));
        const Witness witness(tree.survivors());
        REQUIRE(witness.size() == 8);
        CHECK(tree.ask(SignalTarget::tree, SIGTERM).ok());
        CHECK(tree.survivors().size() == 8);
        CHECK(bench.ends(tree));
        CHECK(witness.all_ended());
        CHECK(tree.end_of_leader()->status == by_signal(SIGKILL));
    }
}

TEST_CASE("nasty 23: a fork bomb that leaves its session at every fork is ended") {
    if (skipped_without_root()) return;
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        // Where its user may get at it.
        const std::string bomb = bench.directory() / "bomb";
        write_whole(bomb, read_whole(VIGIL_FORK_BOMB), 0755);
        auto spec = SpawnBench::spec({bomb});
        spec.launch.edit().user = spec.launch.edit().group = std::to_string(kOrdinaryUser);
        spec.launch.edit().supplementary_groups.emplace();
        spec.launch.edit().rlimits = {{RLIMIT_NPROC, 120, 120}};
        spec.launch.edit().output.to = core::OutputTo::null;
        ProcessTree tree = bench.spawn(spec);
        REQUIRE(eventually(
            [&] {
                (void)bench.reap();
                return tree.survivors().size() > 60;
            },
            60s));
        CHECK(bench.ends(tree));
        (void)bench.reap();
        CHECK(bench.orphans().size() == 0);
        std::size_t left = 0;
        for_each_process([&](const ProcessEntry& entry) {
            struct stat status {};
            const std::string path = "/proc/" + std::to_string(entry.pid);
            if (::stat(path.c_str(), &status) == 0 && status.st_uid == kOrdinaryUser) ++left;
        });
        CHECK(left == 0);
    }
}

TEST_CASE("a second process of the run is part of its tree until it has ended, and what it started too") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("read x < /dev/null; sleep 0.1; exit 0");
        bench.attach(tree, {"/bin/sh", "-c", "setsid sleep 100 & sleep 101"});
        REQUIRE(leader_ended(tree));
        REQUIRE(has_survivors(tree, 3));
        CHECK_FALSE(tree.empty());
        CHECK_FALSE(tree.end_of_attached());
        CHECK(bench.ends(tree));
        CHECK(tree.end_of_attached()->status == by_signal(SIGKILL));
    }
}

TEST_CASE("what a tree uses is the sum of its processes") {
    for (const Way& way : all_ways()) {
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree tree = bench.shell("setsid sh -c 'i=0; while :; do i=$((i+1)); done' & sleep 100 & wait");
        REQUIRE(has_survivors(tree, 3));
        CHECK(eventually([&] { return measure(tree).cpu >= 100ms; }));
        const TreeUsage usage = measure(tree);
        CHECK(usage.processes == 3);
        CHECK(usage.memory > 300'000);
        CHECK(usage.memory < 300'000'000);
        CHECK(bench.ends(tree));
    }
}
