// Processes that another daemon started, found again.
#include "linux/process/known_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "linux/file/random_name.hpp"
#include "linux/process/process.hpp"
#include "linux/process/process_table.hpp"
#include "linux/socket/unix_listener.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

const Features kFeatures = probe_features();

struct Sleeper {
    SpawnBench bench;
    SpawnOutcome made = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
    std::uint64_t inode = unique_inode(made.pidfd.get());
    std::uint64_t start_time = read_process(made.pid)->start_time;
};

}  // namespace

TEST_CASE("a process is found again by the inode of its pidfd, by its start or by its mark") {
    const Sleeper sleeper;
    const pid_t pid = sleeper.made.pid;
    if (sleeper.inode != 0) CHECK(find_again({pid, sleeper.inode, 0, {}}, kFeatures));
    CHECK(find_again({pid, 0, sleeper.start_time, {}}, kFeatures));
    CHECK(find_again({pid, 0, 0, sleeper.made.invocation}, kFeatures));
}

TEST_CASE("nasty 21: a stranger with the number of a process that is gone is not taken for it") {
    const Sleeper sleeper;
    const pid_t pid = sleeper.made.pid;
    // The inode decides where it is known, whatever else fits.
    if (sleeper.inode != 0)
        CHECK_FALSE(
            find_again({pid, sleeper.inode + 1, sleeper.start_time, sleeper.made.invocation}, kFeatures));
    CHECK_FALSE(find_again({pid, 0, sleeper.start_time + 1, sleeper.made.invocation}, kFeatures));
    CHECK_FALSE(find_again({pid, 0, 0, std::string(32, '0')}, kFeatures));
    CHECK_FALSE(find_again({pid, 0, 0, {}}, kFeatures));
    CHECK_FALSE(find_again({0, sleeper.inode, sleeper.start_time, sleeper.made.invocation}, kFeatures));
    CHECK_FALSE(has_ended(sleeper.made.pidfd.get()));
}

TEST_CASE("a zombie is found by its number and its inode, and one that was reaped is gone") {
    Sleeper sleeper;
    REQUIRE(signal_process(sleeper.made.pidfd.get(), SIGKILL).ok());
    REQUIRE(eventually([&] { return has_ended(sleeper.made.pidfd.get()); }));
    const UniqueFd zombie = find_again({sleeper.made.pid, sleeper.inode, sleeper.start_time, {}}, kFeatures);
    REQUIRE(zombie);
    CHECK(has_ended(zombie.get()));
    REQUIRE(reap(sleeper.made.pidfd.get(), probe_features()).has_value());
    CHECK_FALSE(find_again({sleeper.made.pid, sleeper.inode, sleeper.start_time, {}}, kFeatures));
}

TEST_CASE("a notify socket that somebody held goes on at its path, and a lost one is bound there anew") {
    const NothingLeft nothing_left;
    const TempDir directory;
    UniqueFd held;
    std::string path;
    {
        auto socket = NotifySocket::create(directory.path());
        REQUIRE(socket.ok());
        path = socket->path();
        CHECK(NotifySocket::path_of(socket->fd()) == path);
        held.reset(::dup(socket->fd()));
        // As a killed daemon leaves it: the path stays.
        REQUIRE(::link(path.c_str(), (path + ".kept").c_str()) == 0);
    }
    REQUIRE(::rename((path + ".kept").c_str(), path.c_str()) == 0);
    CHECK(NotifySocket::path_of(held.get()) == path);
    {
        auto adopted = NotifySocket::adopt(std::move(held), path);
        REQUIRE(adopted.ok());
        CHECK(::access(path.c_str(), F_OK) == 0);
    }
    CHECK(::access(path.c_str(), F_OK) != 0);
    auto anew = NotifySocket::adopt({}, path);
    REQUIRE(anew.ok());
    CHECK(anew->path() == path);
    CHECK(NotifySocket::path_of(STDIN_FILENO).empty());
}

TEST_CASE(
    "a listening socket that somebody held is gone on with, and no client is lost that came meanwhile") {
    const NothingLeft nothing_left;
    const TempDir directory;
    const InstanceLock lock = InstanceLock::take(directory / "lock").value();
    const ListenerOptions options{.path = directory / "control.sock"};
    UniqueFd held;
    {
        auto killed = UnixListener::open(lock, options);
        REQUIRE(killed.ok());
        held = killed->leave();
    }
    const int kept = held.get();
    auto next = UnixListener::adopt(lock, options, std::move(held));
    REQUIRE(next.ok());
    CHECK(next->fd() == kept);
    CHECK(next->in_place());
    // Adopting asked the socket whether it answers: that connection is the first in its queue.
    CHECK(UniqueFd(::accept(next->fd(), nullptr, nullptr)));
    SUBCASE("a path that is gone is bound anew") {
        UniqueFd left = next->leave();
        REQUIRE(::unlink(options.path.c_str()) == 0);
        auto anew = UnixListener::adopt(lock, options, std::move(left));
        REQUIRE(anew.ok());
        CHECK(anew->in_place());
    }
    SUBCASE("without anything held it is opened as ever") {
        next = UnixListener::adopt(lock, {.path = directory / "other.sock"}, {});
        REQUIRE(next.ok());
        CHECK(next->in_place());
    }
}
