// What a child is given, as the kernel tells it: nasty 13.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "linux/file/small_file.hpp"
#include "linux/process/process_table.hpp"
#include "linux/spawn/spawner.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

/// The output of a shell script run with `spec`'s other properties.
std::string output_of(SpawnBench& bench, core::TaskSpec spec, const std::string& script) {
    const std::string file = bench.directory() / "output";
    write_whole(file, "", 0666);
    // The last command is not the one that reads, so that the shell stays a process of its own.
    spec.command = {"/bin/sh", "-c", "{ " + script + "; } > " + file + "; exit 0"};
    bench.run(std::move(spec));
    return read_whole(file);
}

std::set<int> descriptors_of(pid_t pid) {
    std::set<int> found;
    std::error_code gone;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone))
        found.insert(std::stoi(entry.path().filename()));
    return found;
}

core::TaskSpec spec() {
    return SpawnBench::spec({"sh"});
}

}  // namespace

TEST_CASE(
    "nasty 13: a child of root runs as the user, group and groups that were asked for, and as nothing more") {
    if (skipped_without_root()) return;
    SpawnBench bench;
    auto wanted = spec();
    wanted.launch.edit().user = "nobody";
    wanted.launch.edit().group = "daemon";
    wanted.launch.edit().supplementary_groups = {"bin", "4321"};
    const std::string status = output_of(bench, wanted, "cat /proc/$$/status");
    CHECK(status_field(status, "Uid") == "65534\t65534\t65534\t65534");
    CHECK(status_field(status, "Gid") == "1\t1\t1\t1");
    CHECK(status_field(status, "Groups") == "2 4321");
    CHECK(status_field(status, "CapEff") == "0000000000000000");
    CHECK(status_field(status, "CapPrm") == "0000000000000000");
}

TEST_CASE("nasty 13: a user without a list of groups gets those of the database, not root's") {
    if (skipped_without_root()) return;
    SpawnBench bench;
    auto wanted = spec();
    wanted.launch.edit().user = "nobody";
    CHECK(status_field(output_of(bench, wanted, "cat /proc/$$/status"), "Groups") == "65534");
    wanted.launch.edit().supplementary_groups.emplace();
    CHECK(status_field(output_of(bench, wanted, "cat /proc/$$/status"), "Groups").empty());
}

TEST_CASE("nasty 13: a user by number without entry runs with the group beside it and no others") {
    if (skipped_without_root()) return;
    SpawnBench bench;
    auto wanted = spec();
    wanted.launch.edit().user = "54321";
    wanted.launch.edit().group = "54322";
    const std::string status = output_of(bench, wanted, "cat /proc/$$/status");
    CHECK(status_field(status, "Uid") == "54321\t54321\t54321\t54321");
    CHECK(status_field(status, "Gid") == "54322\t54322\t54322\t54322");
    CHECK(status_field(status, "Groups").empty());
}

TEST_CASE("nasty 13: the outcome names the uid that the process runs as") {
    if (skipped_without_root()) return;
    SpawnBench bench;
    auto wanted = SpawnBench::spec({"/bin/true"});
    wanted.launch.edit().user = "nobody";
    const SpawnOutcome outcome = bench.spawn(wanted);
    CHECK(bench.end_of(outcome).code == 0);
    CHECK(outcome.uid == 65534);
}

TEST_CASE("nasty 13: the daemon stays dumpable after a child took another identity") {
    if (skipped_without_root()) return;
    SpawnBench bench;
    REQUIRE(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
    auto wanted = SpawnBench::spec({"/bin/true"});
    wanted.launch.edit().user = "nobody";
    bench.run(wanted);
    CHECK(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
}

TEST_CASE("nasty 13: while a child of another identity shares the daemon's memory nobody can attach to it") {
    if (skipped_without_root()) return;
    SpawnBench bench([](SpawnerOptions& options) {
        options.hold = [](const SpawnJob& job) { return job.spec->launch->cwd == "/tmp"; };
    });
    auto held = SpawnBench::spec({"/bin/true"});
    held.launch.edit().user = "nobody";
    held.launch.edit().cwd = "/tmp";
    const auto generation = bench.submit(held);
    REQUIRE(eventually([&] { return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0; }));
    // Another spawn that comes and goes must not open what the first still needs closed.
    auto passing = SpawnBench::spec({"/bin/true"});
    passing.launch.edit().user = "nobody";
    bench.run(passing);
    CHECK(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    CHECK(bench.spawner().cancel(core::TaskId{7}, generation) == Spawner::Cancelled::killed);
    CHECK(bench.wait_for(generation).failure->error == ECANCELED);
    CHECK(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
}

TEST_CASE("nasty 13: umask, nice, limits, oom score and no_new_privs are as asked for") {
    if (skipped_without_root()) return;
    SpawnBench bench;
    auto wanted = spec();
    wanted.launch.edit().umask = 027;
    wanted.launch.edit().nice = 5;
    wanted.launch.edit().oom_score_adj = 123;
    wanted.launch.edit().no_new_privs = true;
    wanted.launch.edit().cwd = "/usr";
    wanted.launch.edit().rlimits = {{RLIMIT_NOFILE, 3, 77}, {RLIMIT_CORE, 0, std::nullopt}};
    wanted.launch.edit().rlimits.front().soft = 55;
    CHECK(output_of(bench, wanted, "umask") == "0027\n");
    CHECK(output_of(bench, wanted, "nice") == "5\n");
    CHECK(output_of(bench, wanted, "ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc") ==
          "55\n77\n0\nunlimited\n");
    CHECK(output_of(bench, wanted, "cat /proc/$$/oom_score_adj") == "123\n");
    CHECK(output_of(bench, wanted, "pwd") == "/usr\n");
    CHECK(status_field(output_of(bench, wanted, "cat /proc/$$/status"), "NoNewPrivs") == "1");
}

TEST_CASE(
    "nasty 13: a task has the default oom score also when the daemon's own is another one, or becomes one") {
    if (skipped_without_root()) return;
    SpawnBench bench;
    constexpr const char* kOwn = "/proc/self/oom_score_adj";
    const std::string before = read_whole(kOwn);
    CHECK(output_of(bench, spec(), "cat /proc/$$/oom_score_adj") == "0\n");
    REQUIRE(write_small_file(AT_FDCWD, kOwn, "77") == 0);
    CHECK(output_of(bench, spec(), "cat /proc/$$/oom_score_adj") == "0\n");
    auto same = spec();
    same.launch.edit().oom_score_adj = 77;
    CHECK(output_of(bench, same, "cat /proc/$$/oom_score_adj") == "77\n");
    CHECK(write_small_file(AT_FDCWD, kOwn, before) == 0);
}

TEST_CASE("nasty 13: a limit of very few descriptors does not get in the way of the spawn itself") {
    SpawnBench bench;
    auto wanted = SpawnBench::spec({"/bin/true"});
    wanted.launch.edit().rlimits = {{RLIMIT_NOFILE, 0, 0}};
    wanted.launch.edit().oom_score_adj = 500;
    const SpawnOutcome outcome = bench.spawn(wanted);
    // The loader of /bin/true can open nothing; that it runs at all is the point.
    CHECK(bench.end_of(outcome).kind == core::ExitStatus::Kind::code);
}

TEST_CASE("nasty 13: what the daemon raised for itself is given back to its children") {
    SpawnBench bench([](SpawnerOptions& options) { options.open_files = rlimit{512, 1024}; });
    CHECK(output_of(bench, spec(), "ulimit -Sn; ulimit -Hn") == "512\n1024\n");
    CHECK(output_of(bench, spec(), "umask") == "0022\n");
}

TEST_CASE("nasty 13: a child has an empty signal mask, and ignores nothing that the daemon ignores") {
    sigset_t blocked;
    sigset_t before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGUSR1);
    ::sigaddset(&blocked, SIGTERM);
    REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
    const auto old_pipe = ::signal(SIGPIPE, SIG_IGN);
    const auto old_hangup = ::signal(SIGHUP, SIG_IGN);
    const auto old_user = ::signal(SIGUSR2, [](int) {});
    // 32 and 33 are the C library's own: only the kernel's call reaches them.
    const unsigned long ignore[4] = {1, 0, 0, 0};
    unsigned long old_internal[4] = {};
    REQUIRE(::syscall(SYS_rt_sigaction, 32, ignore, old_internal, 8) == 0);
    {
        SpawnBench bench;
        // Not a shell: it blocks signals of its own accord around each command.
        const SpawnOutcome outcome = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
        REQUIRE_FALSE(outcome.failure);
        const std::string status = read_whole("/proc/" + std::to_string(outcome.pid) + "/status");
        CHECK(status_field(status, "SigBlk") == "0000000000000000");
        CHECK(status_field(status, "SigIgn") == "0000000000000000");
    }
    REQUIRE(::syscall(SYS_rt_sigaction, 32, old_internal, nullptr, 8) == 0);
    ::signal(SIGPIPE, old_pipe);
    ::signal(SIGHUP, old_hangup);
    ::signal(SIGUSR2, old_user);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("nasty 13: a child has descriptors 0 to 2 and nothing of the daemon's, close-on-exec or not") {
    std::vector<UniqueFd> inheritable;
    inheritable.reserve(100);
    for (int i = 0; i < 100; ++i) inheritable.emplace_back(::open("/dev/zero", O_RDONLY));
    SpawnBench bench;
    const SpawnOutcome outcome = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
    REQUIRE_FALSE(outcome.failure);
    // The loader's own comes and goes.
    CHECK(eventually([&] { return descriptors_of(outcome.pid) == std::set<int>{0, 1, 2}; }));
    CHECK(output_of(bench, spec(), "ls -l /proc/$$/fd").find("/dev/zero") == std::string::npos);
    CHECK(output_of(bench, spec(), "readlink /proc/$$/fd/0") == "/dev/null\n");
}

TEST_CASE("nasty 13: with output null descriptors 1 and 2 are /dev/null, else the daemon's own") {
    SpawnBench bench;
    auto wanted = spec();
    wanted.launch.edit().output.to = core::OutputTo::null;
    CHECK(output_of(bench, wanted, "readlink /proc/$$/fd/2") == "/dev/null\n");
    char own[256] = {};
    REQUIRE(::readlink("/proc/self/fd/2", own, sizeof own - 1) > 0);
    CHECK(output_of(bench, spec(), "readlink /proc/$$/fd/2") == std::string(own) + "\n");
}

TEST_CASE("nasty 13: the heartbeat pipe is descriptor 3, wherever its end lies in the daemon") {
    for (const bool low : {false, true}) {
        CAPTURE(low);
        std::vector<UniqueFd> many;
        many.reserve(100);
        for (int i = 0; i < 100; ++i) many.emplace_back(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
        if (low) many.clear();
        std::shared_ptr<LowDescriptors> reserve;
        if (low) reserve = LowDescriptors::reserve().value();
        SpawnBench bench([&](SpawnerOptions& options) { options.low_descriptors = reserve; });
        auto wanted = SpawnBench::shell("/bin/echo fd $VIGIL_HEARTBEAT_FD >&3; exec sleep 100");
        wanted.heartbeat.emplace();
        wanted.heartbeat->pipe = true;
        SpawnOutcome outcome = bench.spawn(wanted);
        REQUIRE_FALSE(outcome.failure);
        const UniqueFd pipe = std::move(outcome.heartbeat_pipe);
        std::array<char, 64> text{};
        std::size_t size = 0;
        CHECK(eventually([&] { return (size = read_heartbeat_pipe(pipe.get(), text).size) != 0; }));
        CHECK(std::string_view(text.data(), size) == "fd 3\n");
        CHECK(eventually([&] { return descriptors_of(outcome.pid) == std::set<int>{0, 1, 2, 3}; }));
        finish_off(outcome);
        CHECK(read_heartbeat_pipe(pipe.get(), text).ended);
        if (reserve) CHECK(reserve->free_count() >= 20);
    }
}

TEST_CASE("nasty 81: a child leads a session and a process group of its own") {
    SpawnBench bench;
    SpawnOutcome outcome = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
    REQUIRE_FALSE(outcome.failure);
    CHECK(::getsid(outcome.pid) == outcome.pid);
    CHECK(::getpgid(outcome.pid) == outcome.pid);
    CHECK(read_process(outcome.pid)->parent == ::getpid());
    finish_off(outcome);
}

TEST_CASE("nasty 9: the kernel has stored the pid in the record before the child runs") {
    SpawnBench bench;
    pid_t record = 99;
    const auto generation = bench.submit(SpawnBench::spec({"/bin/true"}), std::nullopt, &record);
    const SpawnOutcome outcome = bench.wait_for(generation);
    CHECK(record == outcome.pid);
    CHECK(bench.end_of(outcome).code == 0);
}
