// Ends and signals of single processes, and what /proc says of them.
#include "linux/process/process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux/process/process_table.hpp"
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

}  // namespace

TEST_CASE("nasty 15: an exit code, a signal and a core dump are told apart") {
    SpawnBench bench;
    CHECK(bench.end_of(bench.spawn(SpawnBench::shell("exit 3"))) == code(3));
    CHECK(bench.end_of(bench.spawn(SpawnBench::shell("kill -TERM $$"))) == by_signal(SIGTERM));
    auto dumping = SpawnBench::shell("kill -ABRT $$");
    dumping.launch.edit().cwd = bench.directory().path();
    dumping.launch.edit().rlimits = {{RLIMIT_CORE, 0, std::nullopt}};
    CHECK(bench.end_of(bench.spawn(dumping)) == by_signal(SIGABRT));
    dumping.launch.edit().rlimits = {{RLIMIT_CORE, std::nullopt, std::nullopt}};
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
    REQUIRE(end->usage);
    CHECK((end->usage->user + end->usage->system).count() > 0);
    CHECK(end->usage->max_rss >= 100'000);
    CHECK(end->usage->max_rss < 100'000'000);
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
        CHECK_FALSE(end->usage);
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
    Features features;
    for (bool Features::*flag : {&Features::signal_process_group, &Features::exit_info,
                                 &Features::proc_children, &Features::pidfd_inode, &Features::cgroup_kill})
        features.*flag = true;
    CHECK(features.disable("exit-info"));
    CHECK_FALSE(features.exit_info);
    CHECK(features.signal_process_group);
    CHECK(features.disable("signal-process-group"));
    CHECK_FALSE(features.signal_process_group);
    CHECK(features.proc_children);
    CHECK(features.disable("proc-children"));
    CHECK_FALSE(features.proc_children);
    CHECK(features.cgroup_kill);
    CHECK(features.disable("cgroup-kill"));
    CHECK_FALSE(features.cgroup_kill);
    CHECK(features.disable("pidfd-inode"));
    CHECK_FALSE(features.pidfd_inode);
    CHECK(features.keeper);
    CHECK(features.disable("keeper"));
    CHECK_FALSE(features.keeper);
    CHECK_FALSE(features.disable("flying"));
    CHECK(check_required_calls().ok());
}

TEST_CASE("what was found, is missing or was disabled is told apart") {
    Features features;
    features.exit_info = true;
    features.proc_children = true;
    REQUIRE(features.disable("proc-children"));
    std::string all;
    for (const Features::Report& one : features.report())
        all.append(one.name).append("=").append(one.state).append(" ");
    CHECK(all ==
          "signal-process-group=missing exit-info=found pidfd-inode=missing proc-children=disabled "
          "cgroup-kill=missing keeper=found ");
    CHECK(feature_names() ==
          "signal-process-group, exit-info, pidfd-inode, proc-children, cgroup-kill, keeper");
}
