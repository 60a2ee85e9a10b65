// How a keeper is started, and what the process is like.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "bench.hpp"

using namespace vigil;
using namespace vigil::keeper;
using namespace vigil::keeper::test;

namespace fs = std::filesystem;

namespace {

/// What becomes of the OOM score of a child of ours that asks for another one: not everybody may.
std::string score_where_we_ask_for(int score) {
    const Pipe tells;
    const pid_t child = in_child([&] {
        const UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
        ::dprintf(file.get(), "%d", score);
        tells.write(os::test::read_whole("/proc/self/oom_score_adj"));
    });
    CHECK(wait_for(child) == 0);
    return text_in(tells.reads);
}

}  // namespace

TEST_CASE("a keeper has its socket, no environment, and nothing else of its starter") {
    Bench bench;
    const Pipe not_for_the_keeper;
    bench.start();
    const auto client = bench.connect();
    CHECK(bench.descriptors() == 5);  // three streams, the listener, the client
    const std::string proc = "/proc/" + std::to_string(bench.pid());
    for (const char* stream : {"/fd/0", "/fd/1", "/fd/2"})
        CHECK(fs::read_symlink(proc + stream) == "/dev/null");
    CHECK(fs::read_symlink(proc + "/cwd") == "/");
    CHECK(os::test::read_whole(proc + "/environ").empty());
    CHECK(os::test::read_whole(proc + "/comm") == "vigil-keeper\n");
    CHECK(::getsid(bench.pid()) == bench.pid());
    CHECK(::getpgid(bench.pid()) == bench.pid());
    CHECK(os::test::read_whole(proc + "/oom_score_adj") == score_where_we_ask_for(-900));
    const std::string text = os::test::read_whole(proc + "/status");
    CHECK(os::test::status_field(text, "SigBlk") == "0000000000000000");
    CHECK(os::test::status_field(text, "Threads") == "1");
    struct stat file {};
    REQUIRE(::stat(bench.socket().c_str(), &file) == 0);
    CHECK((file.st_mode & 07777U) == 0600U);
}

TEST_CASE("the signals that its starter ignores or blocks are not inherited") {
    Bench bench;
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    ::signal(SIGUSR2, SIG_IGN);
    bench.start();
    ::signal(SIGUSR2, SIG_DFL);
    ::sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
    const auto client = bench.connect();
    const std::string text = os::test::read_whole("/proc/" + std::to_string(bench.pid()) + "/status");
    CHECK(os::test::status_field(text, "SigBlk") == "0000000000000000");
    const auto ignored = std::stoull(os::test::status_field(text, "SigIgn"), nullptr, 16);
    CHECK((ignored >> (SIGUSR2 - 1) & 1U) == 0);
    CHECK((ignored >> (SIGTERM - 1) & 1U) == 1);
}

TEST_CASE("a second keeper is not started where one listens") {
    Bench bench;
    bench.start();
    const auto second = bench.try_start();
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().code == EADDRINUSE);
    CHECK(status(*bench.connect()).entries == 0);
}

TEST_CASE("a program that cannot be run is an error and leaves no socket") {
    Bench bench;
    const auto started = bench.try_start("/nowhere/vigil-keeper");
    REQUIRE_FALSE(started.ok());
    CHECK(started.error().code == ENOENT);
    CHECK_FALSE(fs::exists(bench.socket()));
}

TEST_CASE("Ctrl-C in the daemon's terminal and requests to end do not end a keeper") {
    Bench bench;
    // So that the keeper becomes our child when its starter is gone.
    REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    const Pipe tells_pid;
    const pid_t daemon = in_child([&] {
        ::setpgid(0, 0);
        const auto started = bench.try_start();
        if (started) tells_pid.write(std::to_string(started->pid));
        ::kill(0, SIGINT);
    });
    CHECK(killed_by(wait_for(daemon), SIGINT));
    const auto keeper = static_cast<pid_t>(std::stol(text_in(tells_pid.reads)));
    const auto client = bench.connect();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) CHECK(::kill(keeper, signal) == 0);
    CHECK(status(*client).pid == static_cast<std::uint64_t>(keeper));
    CHECK(client->end().ok());
    CHECK(wait_for(keeper) == 0);
    REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
}

TEST_CASE("run by hand it says what it is and exits with 64") {
    for (const auto& [given, code] :
         {std::pair{"", 64}, {" --nonsense", 64}, {" --help", 0}, {" --version", 0}}) {
        const std::string words = given;
        CAPTURE(words);
        const std::string command = VIGIL_KEEPER + words + " 2>&1 3<&- | grep -q vigil-keeper";
        CHECK(std::system(command.c_str()) == 0);
        const int status = std::system((VIGIL_KEEPER + words + " >/dev/null 2>&1 3<&-").c_str());
        CHECK(WEXITSTATUS(status) == code);
    }
}
