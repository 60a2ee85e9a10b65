// One daemon at a time, its control socket, and who comes to it.
#include "linux/socket/unix_listener.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <future>
#include <iterator>
#include <set>
#include <string>
#include <thread>

#include "linux/socket/peer.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

struct Place {
    NothingLeft nothing_left;
    TempDir directory;
    std::string path = directory / "control.sock";
    InstanceLock lock = InstanceLock::take(directory / "lock").value();

    Result<UnixListener> open() { return UnixListener::open(lock, {.path = path}); }
};

UniqueFd bound_socket(const std::string& path, int type) {
    UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

UniqueFd connected(const std::string& path) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a control socket has its mode whatever the umask, and is removed at the end") {
    Place place;
    const mode_t before = ::umask(0177);
    {
        auto listener = UnixListener::open(place.lock, {.path = place.path, .mode = 0666});
        REQUIRE(listener.ok());
        CHECK(mode_of(place.path) == 0666);
        CHECK(listener->in_place());
        const UniqueFd client = connected(place.path);
        const UniqueFd server(::accept(listener->fd(), nullptr, nullptr));
        CHECK(server);
    }
    ::umask(before);
    CHECK(::access(place.path.c_str(), F_OK) != 0);
}

TEST_CASE("whoever finds a control socket finds it listening, and alone in its directory") {
    Place place;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, place.path.c_str());
    for (int round = 0; round < 300; ++round) {
        std::atomic<bool> looks = false;
        auto first_answer = std::async(std::launch::async, [&] {
            int answer = ENOENT;
            while (answer == ENOENT) {
                const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
                const auto* to = reinterpret_cast<const sockaddr*>(&address);
                answer = ::connect(client.get(), to, sizeof address) == 0 ? 0 : errno;
                looks = true;
            }
            return answer;
        });
        while (!looks) std::this_thread::yield();
        const auto listener = place.open();
        REQUIRE(listener.ok());
        REQUIRE(first_answer.get() == 0);
    }
    const std::filesystem::directory_iterator entries(place.directory.path());
    CHECK(std::distance(begin(entries), end(entries)) == 1);  // the lock
}

TEST_CASE("a control socket belongs to the group that was asked for") {
    if (skipped_without_root()) return;
    Place place;
    const auto listener = UnixListener::open(place.lock, {.path = place.path, .mode = 0660, .group = 4321});
    REQUIRE(listener.ok());
    struct stat status {};
    REQUIRE(::lstat(place.path.c_str(), &status) == 0);
    CHECK(status.st_gid == 4321);
    CHECK((status.st_mode & 07777) == 0660);
}

TEST_CASE("nasty 73: a socket that a kill left under its first name is gone once there is another") {
    Place place;
    const UniqueFd left = bound_socket(place.directory / ".vigil-control.sock", SOCK_STREAM);
    const auto listener = place.open();
    REQUIRE(listener.ok());
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(place.directory / "."))
        names.insert(entry.path().filename());
    CHECK(names == std::set<std::string>{"control.sock", "lock"});
}

TEST_CASE("nasty 69: a stale socket is replaced") {
    Place place;
    bound_socket(place.path, SOCK_STREAM).reset();
    REQUIRE(::access(place.path.c_str(), F_OK) == 0);
    const auto listener = place.open();
    REQUIRE(listener.ok());
    CHECK(connected(place.path));
}

TEST_CASE("nasty 68: a socket that answers is refused and left alone, though its queue is full") {
    Place place;
    const UniqueFd live = bound_socket(place.path, SOCK_STREAM);
    REQUIRE(::listen(live.get(), 0) == 0);
    // Each look takes a place in the queue, which has room for one.
    for (int look = 0; look < 3; ++look) CHECK(place.open().error().code == EADDRINUSE);
    CHECK(::access(place.path.c_str(), F_OK) == 0);
}

TEST_CASE(
    "nasty 69: a file, a directory, a symbolic link and a live datagram socket are refused and left alone") {
    Place place;
    UniqueFd held;
    SUBCASE("file") {
        write_whole(place.path, "precious", 0600);
    }
    SUBCASE("directory") {
        REQUIRE(::mkdir(place.path.c_str(), 0700) == 0);
    }
    SUBCASE("dangling link") {
        REQUIRE(::symlink("/nonexistent", place.path.c_str()) == 0);
    }
    SUBCASE("link to a socket") {
        held = bound_socket(place.path + ".other", SOCK_STREAM);
        REQUIRE(::symlink((place.path + ".other").c_str(), place.path.c_str()) == 0);
    }
    SUBCASE("live datagram") {
        held = bound_socket(place.path, SOCK_DGRAM);
    }
    struct stat before {};
    struct stat after {};
    REQUIRE(::lstat(place.path.c_str(), &before) == 0);
    const auto listener = place.open();
    REQUIRE_FALSE(listener.ok());
    CHECK(listener.error().code == EEXIST);
    CHECK(listener.error().doing.find("left alone") != std::string::npos);
    REQUIRE(::lstat(place.path.c_str(), &after) == 0);
    CHECK(after.st_ino == before.st_ino);
    CHECK(after.st_mode == before.st_mode);
}

TEST_CASE(
    "nasty 69: a dead datagram socket is replaced: of it the kernel says what it says of any dead one") {
    Place place;
    bound_socket(place.path, SOCK_DGRAM).reset();
    const auto listener = place.open();
    REQUIRE(listener.ok());
    CHECK(connected(place.path));
}

TEST_CASE("nasty 70: a missing directory, a relative path and one of 108 bytes are clear errors") {
    Place place;
    const auto open_at = [&](const std::string& path) {
        return UnixListener::open(place.lock, {.path = path});
    };
    CHECK(open_at(place.directory / "missing/control.sock").error().code == ENOENT);
    CHECK(open_at("control.sock").error().code == EINVAL);
    CHECK(open_at("").error().code == EINVAL);
    const std::string base = place.directory.path() + "/";
    const auto longest = open_at(base + std::string(107 - base.size(), 'x'));
    CHECK(longest.ok());
    const auto too_long = open_at(base + std::string(108 - base.size(), 'x'));
    REQUIRE_FALSE(too_long.ok());
    CHECK(too_long.error().code == ENAMETOOLONG);
    CHECK(too_long.error().doing.find("108 bytes; a Unix socket allows 107") != std::string::npos);
}

TEST_CASE("nasty 71: a lost path is noticed and made anew, one that became another's is left to him") {
    Place place;
    auto listener = place.open();
    REQUIRE(listener.ok());
    REQUIRE(::unlink(place.path.c_str()) == 0);
    CHECK_FALSE(listener->in_place());
    REQUIRE(listener->recreate().ok());
    CHECK(listener->in_place());
    CHECK(connected(place.path));
    REQUIRE(::unlink(place.path.c_str()) == 0);
    write_whole(place.path, "another's", 0600);
    CHECK(listener->recreate().error().code == EEXIST);
    listener = UnixListener::open(place.lock, {.path = place.directory / "other"});
    CHECK(read_whole(place.path) == "another's");
}

TEST_CASE("a listener whose descriptor was given away still removes its path, once") {
    Place place;
    UniqueFd taken;
    {
        auto first = place.open();
        UnixListener second = std::move(first).value();
        taken = second.take_fd();
        CHECK(second.fd() == -1);
        CHECK(second.in_place());
    }
    CHECK(::access(place.path.c_str(), F_OK) != 0);
}

TEST_CASE("nasty 67: the peer of a connection is known by pid, uid, gid and groups") {
    const NothingLeft nothing_left;
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const UniqueFd one(ends[0]);
    const UniqueFd other(ends[1]);
    const auto peer = peer_of(one.get());
    REQUIRE(peer.ok());
    CHECK(peer->pid == ::getpid());
    CHECK(peer->uid == ::geteuid());
    CHECK(peer->gid == ::getegid());
    CHECK(static_cast<int>(peer->groups.size()) == ::getgroups(0, nullptr));
    CHECK(peer->in_group(::getegid()));
    CHECK_FALSE(peer->in_group(54321));
    CHECK(command_name(::getpid()) ==
          read_whole("/proc/self/comm").substr(0, command_name(::getpid()).size()));
    CHECK_FALSE(command_name(::getpid()).empty());
    CHECK(command_name(0).empty());
    CHECK_FALSE(peer_of(-1).ok());
}

TEST_CASE("nasty 67: a peer in more groups than usual is known with all of them") {
    if (skipped_without_root()) return;
    Place place;
    const auto listener = place.open();
    const pid_t child = ::fork();
    if (child == 0) {
        gid_t groups[200];
        for (gid_t i = 0; i < 200; ++i) groups[i] = 5000 + i;
        if (::setgroups(200, groups) != 0 || ::setresuid(0, 0, 0) != 0) ::_exit(1);
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, place.path.c_str());
        char byte = 0;
        if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) ::_exit(2);
        ::_exit(::read(fd, &byte, 1) == 0 ? 0 : 3);
    }
    UniqueFd server;
    CHECK(eventually(
        [&] { return static_cast<bool>(server = UniqueFd(::accept(listener->fd(), nullptr, nullptr))); }));
    const auto peer = peer_of(server.get());
    REQUIRE(peer.ok());
    CHECK(peer->pid == child);
    CHECK(peer->groups.size() == 200);
    CHECK(peer->in_group(5199));
    server.reset();
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}
