// The lock that lets one daemon use a directory.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "linux/socket/unix_listener.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

TEST_CASE("nasty 68: a second lock is refused and names the holder, until the first goes") {
    const NothingLeft nothing_left;
    const TempDir directory;
    {
        const auto first = InstanceLock::take(directory / "lock");
        REQUIRE(first.ok());
        const auto second = InstanceLock::take(directory / "lock");
        REQUIRE_FALSE(second.ok());
        CHECK(second.error().code == EWOULDBLOCK);
        CHECK(second.error().doing.find("pid " + std::to_string(::getpid())) != std::string::npos);
    }
    CHECK(InstanceLock::take(directory / "lock").ok());
    struct stat status {};
    REQUIRE(::stat((directory / "lock").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("nasty 73: a lock that only a child of a killed daemon has, until its exec, is waited for") {
    const TempDir directory;
    int until[2];
    REQUIRE(::pipe2(until, O_CLOEXEC) == 0);
    UniqueFd reader(until[0]);
    UniqueFd writer(until[1]);
    const pid_t daemon = ::fork();
    if (daemon == 0) {
        const auto lock = InstanceLock::take(directory / "lock");
        if (lock.ok() && ::fork() == 0) {
            writer.reset();
            char byte = 0;
            ::_exit(::read(reader.get(), &byte, 1) == 0 ? 0 : 1);
        }
        ::kill(::getpid(), SIGKILL);
    }
    REQUIRE(::waitpid(daemon, nullptr, 0) == daemon);
    // As it is before the exec: nobody but the child has the lock.
    const UniqueFd look(::open((directory / "lock").c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::flock(look.get(), LOCK_EX | LOCK_NB) != 0);
    std::thread exec([&writer] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        writer.reset();
    });
    CHECK(InstanceLock::take(directory / "lock").ok());
    exec.join();
}

TEST_CASE("nasty 68: a lock is not followed through a symbolic link") {
    const TempDir directory;
    REQUIRE(::symlink("/etc/passwd", (directory / "lock").c_str()) == 0);
    CHECK(InstanceLock::take(directory / "lock").error().code == ELOOP);
}
