// Where the output of tasks goes, and second processes of runs.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "linux/process/process.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;
using core::OutputTo;
using core::SpawnStage;

namespace {

core::TaskSpec printing(const std::string& script, bool apart = false) {
    auto spec = SpawnBench::shell(script);
    spec.launch.edit().output.to = OutputTo::file;
    spec.launch.edit().output.apart = apart;
    return spec;
}

/// What comes until every writer is gone.
std::string read_to_end(const UniqueFd& fd) {
    std::string text;
    CHECK(eventually([&] {
        char buffer[4096];
        for (;;) {
            const ssize_t size = ::read(fd.get(), buffer, sizeof buffer);
            if (size < 0) return false;
            if (size == 0) return true;
            text.append(buffer, static_cast<std::size_t>(size));
        }
    }));
    return text;
}

/// A journal that takes streams.
class JournalDouble {
  public:
    explicit JournalDouble(const std::string& path)
        : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(path.size() < sizeof address.sun_path);
        std::strcpy(address.sun_path, path.c_str());
        REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(listener_.get(), 10) == 0);
    }
    UniqueFd accept() {
        UniqueFd stream;
        REQUIRE(eventually([&] {
            stream.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            return static_cast<bool>(stream);
        }));
        return stream;
    }

  private:
    UniqueFd listener_;
};

}  // namespace

TEST_CASE("what a task prints comes out of one pipe, which ends with the task") {
    SpawnBench bench;
    const SpawnOutcome outcome = bench.spawn(printing("echo out; echo err >&2"));
    REQUIRE_FALSE(outcome.failure);
    CHECK(read_to_end(outcome.output[0]) == "out\nerr\n");
    CHECK_FALSE(outcome.output[1]);
    CHECK(bench.end_of(outcome).code == 0);
}

TEST_CASE("stderr has a pipe of its own where it is wanted apart") {
    SpawnBench bench(
        [](SpawnerOptions& options) { options.low_descriptors = LowDescriptors::reserve().value(); });
    auto spec = printing("echo out; echo err >&2; echo READY >&3", true);
    spec.heartbeat.emplace();
    spec.heartbeat->pipe = true;
    const SpawnOutcome outcome = bench.spawn(spec);
    REQUIRE_FALSE(outcome.failure);
    CHECK(read_to_end(outcome.output[0]) == "out\n");
    CHECK(read_to_end(outcome.output[1]) == "err\n");
    CHECK(read_to_end(outcome.heartbeat_pipe) == "READY\n");
    CHECK(bench.end_of(outcome).code == 0);
}

TEST_CASE("a task holds the write end only, blocking, and nothing else of the pipe") {
    SpawnBench bench;
    const SpawnOutcome outcome = bench.spawn(printing(
        "ls /proc/self/fd | tr '\\n' ' '; grep flags /proc/self/fdinfo/1; grep flags /proc/self/fdinfo/2",
        true));
    const std::string text = read_to_end(outcome.output[0]);
    // 3 is the directory that ls itself has open; 01 is O_WRONLY, without 04000, O_NONBLOCK.
    CHECK(text.starts_with("0 1 2 3 "));
    CHECK(text.find("\t01\n") != std::string::npos);
    CHECK(text.find("\t01\n") != text.rfind("\t01\n"));
    CHECK(::fcntl(outcome.output[0].get(), F_GETFL) == O_NONBLOCK);
    CHECK(bench.end_of(outcome).code == 0);
}

TEST_CASE("another user's task may open /dev/stdout anew") {
    if (skipped_without_root()) return;
    SpawnBench bench;
    auto spec = printing("echo one > /dev/stdout; echo two > /proc/self/fd/2");
    spec.launch.edit().user = spec.launch.edit().group = "64123";
    spec.launch.edit().supplementary_groups.emplace();
    const SpawnOutcome outcome = bench.spawn(spec);
    CHECK(read_to_end(outcome.output[0]) == "one\ntwo\n");
    CHECK(bench.end_of(outcome).code == 0);
}

TEST_CASE("a burst of 200 KiB does not wait for a reader") {
    SpawnBench bench;
    const SpawnOutcome outcome = bench.spawn(printing("head -c 200000 /dev/zero"));
    if (::fcntl(outcome.output[0].get(), F_GETPIPE_SZ) < 200'000) {
        MESSAGE("SKIPPED: no larger pipes to be had");
    } else {
        CHECK(bench.end_of(outcome).code == 0);
    }
    CHECK(read_to_end(outcome.output[0]).size() == 200'000);
}

TEST_CASE("the journal is told who prints, and gets what is printed") {
    for (const bool apart : {false, true}) {
        CAPTURE(apart);
        std::string path;
        SpawnBench bench([&](SpawnerOptions& options) {
            path = options.journal_socket = options.notify_directory + "/j";
        });
        JournalDouble journal(path);
        auto spec =
            printing("echo out; echo err >&2; echo $JOURNAL_STREAM; stat -L -c %d:%i /proc/self/fd/2", apart);
        spec.launch.edit().output.to = OutputTo::journal;
        const SpawnOutcome outcome = bench.spawn(spec);
        REQUIRE_FALSE(outcome.failure);
        CHECK_FALSE(outcome.output[0]);
        const std::string out = read_to_end(journal.accept());
        CHECK(out.starts_with("task\n\n6\n0\n0\n0\n0\nout\n"));
        const std::size_t last = out.rfind('\n', out.size() - 2);
        const std::size_t before = out.rfind('\n', last - 1);
        CHECK(out.substr(before + 1, last - before) == out.substr(last + 1));
        if (apart) {
            CHECK(read_to_end(journal.accept()) == "task\n\n3\n0\n0\n0\n0\nerr\n");
        } else {
            CHECK(out.find("\nout\nerr\n") != std::string::npos);
        }
        CHECK(bench.end_of(outcome).code == 0);
    }
}

TEST_CASE("without a journal the task fails at its output and says so") {
    SpawnBench bench(
        [](SpawnerOptions& options) { options.journal_socket = options.notify_directory + "/none"; });
    auto spec = printing("true");
    spec.launch.edit().output.to = OutputTo::journal;
    const SpawnOutcome outcome = bench.spawn(spec);
    REQUIRE(outcome.failure);
    CHECK(outcome.failure->stage == SpawnStage::open_output);
    CHECK(outcome.failure->error == ENOENT);
    CHECK(outcome.failure->detail.find("no journal answers at " + (bench.directory() / "none")) !=
          std::string::npos);
}

TEST_CASE("output to nowhere and to the daemon's own makes no pipes") {
    SpawnBench bench;
    auto spec = printing("test /dev/null -ef /proc/self/fd/1 && test /dev/null -ef /proc/self/fd/2");
    spec.launch.edit().output.to = OutputTo::null;
    const SpawnOutcome outcome = bench.spawn(spec);
    CHECK_FALSE(outcome.output[0]);
    CHECK(bench.end_of(outcome).code == 0);
}

TEST_CASE("a second process of a run has the run's spec and name, but for its command and its wires") {
    SpawnBench bench;
    auto spec = SpawnBench::shell("exit 1");
    spec.launch.edit().env = {{"COLOUR", "blue"}};
    spec.launch.edit().cwd = bench.directory().path();
    spec.heartbeat.emplace();
    spec.heartbeat->pipe = true;
    Auxiliary second{
        .command = {"sh", "-c",
                    "echo $VIGIL_INVOCATION $VIGIL_TASK $VIGIL_GENERATION $VIGIL_MAIN_PID $COLOUR "
                    "$NOTIFY_SOCKET$WATCHDOG_USEC > said"},
        .invocation = "00112233445566778899aabbccddeeff",
        .variables = {{"VIGIL_MAIN_PID", "4711"}},
        .cgroup = {}};
    const SpawnOutcome outcome = bench.wait_for(bench.submit(spec, {}, nullptr, std::move(second)));
    REQUIRE_FALSE(outcome.failure);
    CHECK(outcome.auxiliary);
    CHECK_FALSE(outcome.notify);
    CHECK_FALSE(outcome.heartbeat_pipe);
    CHECK(bench.end_of(outcome).code == 0);
    CHECK(read_whole(bench.directory() / "said") == "00112233445566778899aabbccddeeff task 1 4711 blue\n");
}

TEST_CASE("a second process that cannot be made is told from the run's own") {
    SpawnBench bench;
    Auxiliary second{.command = {"/does/not/exist"}, .invocation = {}, .variables = {}, .cgroup = {}};
    const SpawnOutcome outcome =
        bench.wait_for(bench.submit(SpawnBench::shell("exit 1"), {}, nullptr, std::move(second)));
    REQUIRE(outcome.failure);
    CHECK(outcome.auxiliary);
    CHECK(outcome.failure->stage == SpawnStage::exec);
    CHECK(outcome.failure->error == ENOENT);
    const SpawnOutcome own = bench.spawn(SpawnBench::spec({"/does/not/exist"}));
    CHECK_FALSE(own.auxiliary);
}
