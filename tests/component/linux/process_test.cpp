// Ends, signals and trees of processes.
#include "linux/process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "linux/process_table.hpp"
#include "linux/process_tree.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;
using core::ExitStatus;

namespace {

ExitStatus code(int value) {
    return {.kind = ExitStatus::Kind::code, .code = value};
}
ExitStatus by_signal(int value, bool core = false) {
    return {.kind = ExitStatus::Kind::signal, .signal = value, .core = core};
}

const Features kFound = probe_features();

/// What the kernel offers, and the least it may offer.
std::vector<Features> both_ways() {
    return {kFound, Features{}};
}

/// A session of `script`, as a tree.
ProcessTree tree_of(SpawnBench& bench, const std::string& script, const Features& features) {
    SpawnOutcome outcome = bench.spawn(SpawnBench::shell(script));
    REQUIRE_FALSE(outcome.failure);
    return ProcessTree(outcome.pid, std::move(outcome.pidfd), features);
}

bool reap_all_orphans() {
    static_cast<void>(reap_orphans(256, [](pid_t) { return false; }));
    return true;
}

/// As the daemon is: orphans of a task come to us.
struct Subreaper {
    Subreaper() { REQUIRE(become_subreaper().ok()); }
    ~Subreaper() {
        // NothingLeft asks for children: those of ended trees first have to be seen.
        reap_all_orphans();
        ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    }
};

}  // namespace

TEST_CASE("nasty 15: an exit code, a signal and a core dump are told apart") {
    SpawnBench bench;
    CHECK(bench.end_of(bench.spawn(SpawnBench::shell("exit 3"))) == code(3));
    CHECK(bench.end_of(bench.spawn(SpawnBench::shell("kill -TERM $$"))) == by_signal(SIGTERM));
    auto dumping = SpawnBench::shell("kill -ABRT $$");
    dumping.launch.cwd = bench.directory().path();
    dumping.launch.rlimits = {{RLIMIT_CORE, 0, std::nullopt}};
    CHECK(bench.end_of(bench.spawn(dumping)) == by_signal(SIGABRT));
    dumping.launch.rlimits = {{RLIMIT_CORE, std::nullopt, std::nullopt}};
    if (const SpawnOutcome outcome = bench.spawn(dumping); outcome.failure) {
        MESSAGE("SKIPPED: the hard limit on core files cannot be raised");
    } else {
        CHECK(bench.end_of(outcome) == by_signal(SIGABRT, true));
    }
}

TEST_CASE("nasty 16: an exit code of 128 and more is not a signal") {
    SpawnBench bench;
    CHECK(bench.end_of(bench.spawn(SpawnBench::shell("exit 137"))) == code(137));
    CHECK(bench.end_of(bench.spawn(SpawnBench::shell("exit 255"))) == code(255));
    CHECK(decode_wait_status(0x2a00) == code(42));
    CHECK(decode_wait_status(0x86) == by_signal(SIGABRT, true));
    CHECK(decode_wait_status(0x09) == by_signal(SIGKILL));
}

TEST_CASE("nothing is said of a process that runs, and its use of the machine after it has ended") {
    SpawnBench bench;
    const SpawnOutcome outcome =
        bench.spawn(SpawnBench::shell("kill -STOP $$; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"));
    REQUIRE_FALSE(outcome.failure);
    CHECK_FALSE(reap(outcome.pidfd.get(), kFound));
    CHECK_FALSE(has_ended(outcome.pidfd.get()));
    REQUIRE(eventually([&] { return read_process(outcome.pid)->state == 'T'; }));
    CHECK_FALSE(has_ended(outcome.pidfd.get()));
    REQUIRE(signal_process(outcome.pidfd.get(), SIGCONT).ok());
    REQUIRE(eventually([&] { return has_ended(outcome.pidfd.get()); }));
    const auto end = reap(outcome.pidfd.get(), kFound);
    REQUIRE(end);
    CHECK(end->status == code(0));
    CHECK((end->user_time + end->system_time).count() > 0);
    CHECK(end->max_rss_kib > 0);
}

TEST_CASE(
    "nasty 19: the status of a child that someone else reaped is known where the kernel tells, else "
    "unknown") {
    for (const Features& features : both_ways()) {
        CAPTURE(features.exit_info);
        SpawnBench bench;
        const SpawnOutcome outcome = bench.spawn(SpawnBench::shell("exit 42"));
        REQUIRE_FALSE(outcome.failure);
        int status = 0;
        REQUIRE(::waitpid(outcome.pid, &status, 0) == outcome.pid);
        const auto end = reap(outcome.pidfd.get(), features);
        REQUIRE(end);
        CHECK(end->status == (features.exit_info ? code(42) : ExitStatus{}));
    }
}

TEST_CASE("nasty 28: a signal to a process that was reaped reaches nobody") {
    SpawnBench bench;
    const SpawnOutcome outcome = bench.spawn(SpawnBench::spec({"/bin/true"}));
    REQUIRE(eventually([&] { return has_ended(outcome.pidfd.get()); }));
    CHECK(signal_process(outcome.pidfd.get(), SIGTERM).ok());  // a zombie takes any
    CHECK(bench.end_of(outcome) == code(0));
    const auto sent = signal_process(outcome.pidfd.get(), SIGTERM);
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().code == ESRCH);
}

TEST_CASE("nasty 21: a tree whose number went to a stranger leaves the stranger alone") {
    for (const Features& features : both_ways()) {
        CAPTURE(features.signal_process_group);
        SpawnBench bench;
        ProcessTree tree = tree_of(bench, "exit 0", features);
        REQUIRE(eventually([&] { return tree.empty(); }));
        const auto stranger = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
        // As if the number had come round: the tree is over, and says nothing to anyone.
        ProcessTree same_number(stranger.pid, UniqueFd(::dup(tree.pidfd())), features);
        CHECK(same_number.end_of_leader().has_value());
        CHECK(tree.kill_all().ok());
        CHECK(tree.signal_leader(SIGKILL).ok());
        CHECK(tree.survivors().empty());
        CHECK_FALSE(has_ended(stranger.pidfd.get()));
        CHECK(signal_process(stranger.pidfd.get(), SIGKILL).ok());
        CHECK(bench.end_of(stranger) == by_signal(SIGKILL));
    }
}

TEST_CASE("nasty 18: a tree is not empty while a child of the dead leader lives, and ends by kill_all") {
    for (const Features& features : both_ways()) {
        CAPTURE(features.signal_process_group);
        SpawnBench bench;
        const Subreaper subreaper;
        ProcessTree tree = tree_of(bench, "sleep 100 & exit 5", features);
        REQUIRE(eventually([&] { return tree.end_of_leader().has_value(); }));
        CHECK(tree.end_of_leader()->status == code(5));
        CHECK_FALSE(tree.empty());
        REQUIRE(eventually(
            [&] { return tree.survivors().size() == 1 && tree.survivors()[0].command == "sleep"; }));
        CHECK(tree.kill_all().ok());
        CHECK(eventually([&] { return reap_all_orphans() && tree.empty(); }));
        CHECK(tree.survivors().empty());
    }
}

TEST_CASE("nasty 18: a tree whose leader lives is not empty, and its leader ends by a signal of its own") {
    for (const Features& features : both_ways()) {
        CAPTURE(features.signal_process_group);
        SpawnBench bench;
        ProcessTree tree = tree_of(bench, "exec sleep 100", features);
        CHECK_FALSE(tree.end_of_leader());
        CHECK_FALSE(tree.empty());
        CHECK(tree.signal_leader(SIGTERM).ok());
        REQUIRE(eventually([&] { return tree.empty(); }));
        CHECK(tree.end_of_leader()->status == by_signal(SIGTERM));
    }
}

TEST_CASE("a process group of its own inside the session is found by looking at the session") {
    for (const Features& features : both_ways()) {
        CAPTURE(features.signal_process_group);
        SpawnBench bench;
        const Subreaper subreaper;
        // Job control (-m) puts each job into a group of its own.
        ProcessTree tree = tree_of(bench, "set -m; sleep 100 & exit 0", features);
        REQUIRE(eventually([&] { return tree.end_of_leader().has_value(); }));
        CHECK(tree.empty(Look::session) == false);
        CHECK(tree.kill_all().ok());
        CHECK(eventually([&] { return reap_all_orphans() && tree.empty(Look::session); }));
    }
}

TEST_CASE("nasty 25: a stopped process acts on a signal that SIGCONT follows") {
    SpawnBench bench;
    ProcessTree tree = tree_of(bench, "trap 'exit 9' TERM; kill -STOP $$; exit 1", kFound);
    REQUIRE(eventually([&] { return read_process(tree.leader())->state == 'T'; }));
    CHECK(tree.signal_all(SIGTERM).ok());
    CHECK(tree.signal_all(SIGCONT).ok());
    REQUIRE(eventually([&] { return tree.end_of_leader().has_value(); }));
    CHECK(tree.end_of_leader()->status == code(9));
    CHECK(tree.empty());
}

TEST_CASE("a frozen tree stands still until it is thawed") {
    for (const Features& features : both_ways()) {
        CAPTURE(features.signal_process_group);
        SpawnBench bench;
        ProcessTree tree = tree_of(bench, "exec sleep 100", features);
        REQUIRE(tree.freeze(true).ok());
        REQUIRE(eventually([&] { return read_process(tree.leader())->state == 'T'; }));
        REQUIRE(tree.freeze(false).ok());
        CHECK(eventually([&] { return read_process(tree.leader())->state == 'S'; }));
    }
}

TEST_CASE("nasty 23: a session that forks for ever is ended") {
    for (const Features& features : both_ways()) {
        CAPTURE(features.signal_process_group);
        SpawnBench bench;
        const Subreaper subreaper;
        ProcessTree tree =
            tree_of(bench, "f() { sleep 0.05; f & f & sleep 0.01; }; ulimit -u 4000; f & f & wait", features);
        REQUIRE(eventually([&] { return tree.survivors().size() > 4; }));
        CHECK(eventually([&] {
            static_cast<void>(tree.kill_all());
            return tree.end_of_leader() && reap_all_orphans() && tree.empty();
        }));
    }
}

TEST_CASE("nasty 20: orphans are reaped in slices, and somebody's process is left to him") {
    SpawnBench bench;
    const Subreaper subreaper;
    const SpawnOutcome parent =
        bench.spawn(SpawnBench::shell("for i in 1 2 3 4 5 6 7 8 9 10; do true & done; exit 0"));
    const SpawnOutcome known = bench.spawn(SpawnBench::shell("exit 7"));
    REQUIRE(eventually([&] { return has_ended(parent.pidfd.get()) && has_ended(known.pidfd.get()); }));
    const auto claim = [&](pid_t pid) {
        if (pid == parent.pid) CHECK(bench.end_of(parent) == code(0));
        if (pid == known.pid) CHECK(bench.end_of(known) == code(7));
        return pid == parent.pid || pid == known.pid;
    };
    std::size_t reaped = 0;
    CHECK(eventually([&] {
        const OrphanSweep sweep = reap_orphans(3, claim);
        CHECK(sweep.reaped <= 3);
        reaped += sweep.reaped;
        return reaped == 10;
    }));
    CHECK_FALSE(reap_orphans(3, claim).more);
}

TEST_CASE("nasty 20: a claimed zombie that nobody reaps ends the sweep instead of turning for ever") {
    SpawnBench bench;
    const SpawnOutcome known = bench.spawn(SpawnBench::shell("exit 7"));
    REQUIRE(eventually([&] { return has_ended(known.pidfd.get()); }));
    int asked = 0;
    const OrphanSweep sweep = reap_orphans(256, [&](pid_t) { return ++asked > 0; });
    CHECK(asked == 1);
    CHECK(sweep.reaped == 0);
    CHECK(sweep.more);
    CHECK(bench.end_of(known) == code(7));
}

TEST_CASE("a command name with parentheses, blanks and newlines does not confuse the reader of /proc") {
    SpawnBench bench;
    const std::string program = bench.directory() / "a) (b\n1 c";
    write_whole(program, read_whole("/bin/sleep"), 0755);
    SpawnOutcome outcome = bench.spawn(SpawnBench::spec({program, "100"}));
    const auto entry = read_process(outcome.pid);
    REQUIRE(entry);
    CHECK(entry->command == "a) (b\n1 c");
    CHECK(entry->session == outcome.pid);
    CHECK(entry->group == outcome.pid);
    CHECK(entry->parent == ::getpid());
    finish_off(outcome);
    CHECK_FALSE(read_process(outcome.pid));
}

TEST_CASE("an ability can be turned off by its name, and by no other") {
    Features features{.signal_process_group = true, .exit_info = true};
    CHECK(features.disable("exit-info"));
    CHECK_FALSE(features.exit_info);
    CHECK(features.signal_process_group);
    CHECK(features.disable("signal-process-group"));
    CHECK_FALSE(features.signal_process_group);
    CHECK_FALSE(features.disable("flying"));
    CHECK(check_required_calls().ok());
}
