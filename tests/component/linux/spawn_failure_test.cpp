// Every way in which a spawn can fail is told apart by its step, its errno and a phrase for people.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "linux/spawn/spawner.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;
using core::SpawnStage;

namespace {

// The two sanitizers are built together (see CMakePresets.json).
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitizerNeedsDescriptors = true;
#elif defined(__has_feature)
constexpr bool kSanitizerNeedsDescriptors = __has_feature(address_sanitizer);
#else
constexpr bool kSanitizerNeedsDescriptors = false;
#endif

core::SpawnFailure failure_of(SpawnBench& bench, core::TaskSpec spec) {
    const SpawnOutcome outcome = bench.spawn(std::move(spec));
    CHECK(outcome.pid == 0);
    CHECK_FALSE(outcome.pidfd);
    REQUIRE(outcome.failure.has_value());
    return *outcome.failure;
}

void expect(const core::SpawnFailure& failure, SpawnStage stage, int error, const std::string& part) {
    CHECK(static_cast<int>(failure.stage) == static_cast<int>(stage));
    CHECK(failure.error == error);
    CHECK_MESSAGE(failure.detail.find(part) != std::string::npos, failure.detail);
}

}  // namespace

TEST_CASE("nasty 1: a command that does not exist fails at exec with ENOENT") {
    SpawnBench bench;
    expect(failure_of(bench, SpawnBench::spec({"/nonexistent/program"})), SpawnStage::exec, ENOENT,
           "/nonexistent/program does not exist");
}

TEST_CASE("nasty 1: a bare command that is in no directory of PATH fails at its look-up") {
    SpawnBench bench;
    expect(failure_of(bench, SpawnBench::spec({"no-such-command"})), SpawnStage::look_up_command, ENOENT,
           "no-such-command is in no directory of PATH");
}

TEST_CASE("nasty 1: a bare command is found in the task's own PATH, not in the daemon's") {
    SpawnBench bench;
    write_whole(bench.directory() / "own-command", "#!/bin/sh\nexit 0\n", 0755);
    auto spec = SpawnBench::spec({"own-command"});
    spec.launch.edit().env = {{"PATH", bench.directory().path()}};
    bench.run(spec);
}

TEST_CASE("nasty 1: a file without execute permission fails with EACCES, by its path and in PATH") {
    SpawnBench bench;
    write_whole(bench.directory() / "plain", "text", 0644);
    expect(failure_of(bench, SpawnBench::spec({bench.directory() / "plain"})), SpawnStage::exec, EACCES,
           "has no execute permission");
    auto bare = SpawnBench::spec({"plain"});
    bare.launch.edit().env = {{"PATH", bench.directory().path()}};
    expect(failure_of(bench, bare), SpawnStage::look_up_command, EACCES,
           "plain in PATH has no execute permission");
}

TEST_CASE("nasty 1: a directory as command fails with EACCES and is called one") {
    SpawnBench bench;
    expect(failure_of(bench, SpawnBench::spec({bench.directory().path()})), SpawnStage::exec, EACCES,
           "is a directory");
}

TEST_CASE("nasty 1: a script without #! is refused with ENOEXEC, not given to a shell") {
    SpawnBench bench;
    write_whole(bench.directory() / "script", "exit 0\n", 0755);
    expect(failure_of(bench, SpawnBench::spec({bench.directory() / "script"})), SpawnStage::exec, ENOEXEC,
           "#! line");
}

TEST_CASE("nasty 1: a circle of symbolic links fails with ELOOP") {
    SpawnBench bench;
    REQUIRE(::symlink("b", (bench.directory() / "a").c_str()) == 0);
    REQUIRE(::symlink("a", (bench.directory() / "b").c_str()) == 0);
    expect(failure_of(bench, SpawnBench::spec({bench.directory() / "a"})), SpawnStage::exec, ELOOP, "/a");
}

TEST_CASE("nasty 1: a path through a file fails with ENOTDIR") {
    SpawnBench bench;
    write_whole(bench.directory() / "file", "", 0644);
    expect(failure_of(bench, SpawnBench::spec({bench.directory() / "file/program"})), SpawnStage::exec,
           ENOTDIR, "/file/program");
}

TEST_CASE("nasty 1: an argument of 128 KiB fails with E2BIG, and so does a variable") {
    SpawnBench bench;
    const std::string large(std::size_t{128} << 10U, 'x');
    expect(failure_of(bench, SpawnBench::spec({"/bin/true", large})), SpawnStage::exec, E2BIG, "too large");
    auto variable = SpawnBench::spec({"/bin/true"});
    variable.launch.edit().env = {{"LARGE", large}};
    expect(failure_of(bench, variable), SpawnStage::exec, E2BIG, "too large");
}

TEST_CASE("nasty 2: a missing interpreter is named") {
    SpawnBench bench;
    write_whole(bench.directory() / "script", "#! /usr/bin/python4 -u\nprint()\n", 0755);
    expect(failure_of(bench, SpawnBench::spec({bench.directory() / "script"})), SpawnStage::exec, ENOENT,
           "is a script whose interpreter /usr/bin/python4 does not exist");
}

TEST_CASE("nasty 2: a script with Windows line ends is called one") {
    SpawnBench bench;
    write_whole(bench.directory() / "script", "#!/bin/sh\r\nexit 0\r\n", 0755);
    expect(failure_of(bench, SpawnBench::spec({bench.directory() / "script"})), SpawnStage::exec, ENOENT,
           "Windows line ends (CRLF): the interpreter /bin/sh\\r");
}

TEST_CASE("nasty 2: a program whose dynamic loader is missing names the loader") {
    SpawnBench bench;
    std::string program = read_whole("/bin/true");
    const std::string loader = "/lib64/ld-linux-x86-64.so.2";
    const std::size_t place = program.find(loader);
    if (place == std::string::npos) {
        MESSAGE("SKIPPED: /bin/true has another dynamic loader than the one this case knows");
        return;
    }
    program.replace(place, loader.size(), "/lib64/ld-linux-nowhere.so2");
    write_whole(bench.directory() / "foreign", program, 0755);
    expect(failure_of(bench, SpawnBench::spec({bench.directory() / "foreign"})), SpawnStage::exec, ENOENT,
           "dynamic loader /lib64/ld-linux-nowhere.so2");
}

TEST_CASE("nasty 3: a program that is open for writing fails with ETXTBSY, which is the host's fault") {
    SpawnBench bench;
    write_whole(bench.directory() / "busy", read_whole("/bin/true"), 0755);
    const UniqueFd writer(::open((bench.directory() / "busy").c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(writer);
    expect(failure_of(bench, SpawnBench::spec({bench.directory() / "busy"})), SpawnStage::exec, ETXTBSY,
           "open for writing");
}

TEST_CASE("nasty 8: without descriptors left a spawn fails with EMFILE, and works again when there are") {
    if (kSanitizerNeedsDescriptors) {
        MESSAGE("SKIPPED: the undefined behaviour sanitizer opens a pipe for each look at an object's type");
        return;
    }
    SpawnBench bench;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 3;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const auto plain = bench.submit(SpawnBench::spec({"/bin/true"}));
    const bool seen = eventually([&] { return bench.has_outcome(plain); });
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE(seen);
    const SpawnOutcome outcome = bench.wait_for(plain);
    REQUIRE(outcome.failure.has_value());
    CHECK(outcome.failure->error == EMFILE);
    bench.run(SpawnBench::spec({"/bin/true"}));
}

TEST_CASE("nasty 11: a missing cwd fails at its step and names it") {
    SpawnBench bench;
    auto spec = SpawnBench::spec({"/bin/true"});
    spec.launch.edit().cwd = "/nonexistent/place";
    expect(failure_of(bench, spec), SpawnStage::cwd, ENOENT, "/nonexistent/place");
}

TEST_CASE("nasty 12: an unknown user, group or supplementary group refuses the spawn") {
    SpawnBench bench;
    auto spec = SpawnBench::spec({"/bin/true"});
    spec.launch.edit().user = "no-such-user";
    expect(failure_of(bench, spec), SpawnStage::look_up_user, ENOENT, "there is no user no-such-user");
    spec.launch.edit().user.clear();
    spec.launch.edit().group = "no-such-group";
    expect(failure_of(bench, spec), SpawnStage::look_up_user, ENOENT, "there is no group no-such-group");
    spec.launch.edit().group.clear();
    spec.launch.edit().supplementary_groups = {"no-such-group"};
    expect(failure_of(bench, spec), SpawnStage::look_up_user, ENOENT, "there is no group no-such-group");
}

TEST_CASE("nasty 12: half a number is no user: it never becomes root") {
    SpawnBench bench;
    for (const char* name : {"0day", "0x0", "00", "-1", "4294967295", "4294967296", " 0", "+0"}) {
        CAPTURE(name);
        auto spec = SpawnBench::spec({"/bin/true"});
        spec.launch.edit().user = name;
        expect(failure_of(bench, spec), SpawnStage::look_up_user, ENOENT, "there is no user");
    }
}

TEST_CASE("nasty 12: a number without entry needs a group beside it") {
    SpawnBench bench;
    auto spec = SpawnBench::spec({"/bin/true"});
    spec.launch.edit().user = "54321";
    expect(failure_of(bench, spec), SpawnStage::look_up_user, ENOENT, "its group has to be given");
}

TEST_CASE("an env_file that is missing, a FIFO or too large fails at the environment without a hang") {
    SpawnBench bench;
    auto spec = SpawnBench::spec({"/bin/true"});
    spec.launch.edit().env_file = bench.directory() / "missing";
    expect(failure_of(bench, spec), SpawnStage::prepare_environment, ENOENT, "/missing");
    spec.launch.edit().env_file = bench.directory() / "fifo";
    REQUIRE(::mkfifo(spec.launch->env_file.c_str(), 0600) == 0);
    expect(failure_of(bench, spec), SpawnStage::prepare_environment, EINVAL, "not a regular file");
    spec.launch.edit().env_file = bench.directory() / "large";
    write_whole(spec.launch->env_file, std::string((std::size_t{1} << 20U) + 1, '#'), 0644);
    expect(failure_of(bench, spec), SpawnStage::prepare_environment, EFBIG, "larger than 1 MiB");
}

TEST_CASE("a limit above the hard limit fails at the limits") {
    SpawnBench bench;
    auto spec = SpawnBench::spec({"/bin/true"});
    // Above fs.nr_open, which not even root may pass (setrlimit(2), EPERM).
    spec.launch.edit().rlimits = {{RLIMIT_NOFILE, std::numeric_limits<std::uint32_t>::max(), std::nullopt}};
    expect(failure_of(bench, spec), SpawnStage::rlimits, EPERM, "hard limit");
}

TEST_CASE("a notify socket that cannot be made fails at its step") {
    SpawnBench bench([](SpawnerOptions& options) { options.notify_directory = "/nonexistent/notify"; });
    auto spec = SpawnBench::spec({"/bin/true"});
    spec.heartbeat.emplace();
    expect(failure_of(bench, spec), SpawnStage::make_notify_socket, ENOENT, "/nonexistent/notify");
}

TEST_CASE("a failed spawn leaves its notify socket's path removed") {
    SpawnBench bench;
    auto spec = SpawnBench::spec({"/nonexistent/program"});
    spec.heartbeat.emplace();
    spec.heartbeat->pipe = true;
    expect(failure_of(bench, spec), SpawnStage::exec, ENOENT, "does not exist");
    CHECK(::rmdir(bench.directory().path().c_str()) == 0);
}
