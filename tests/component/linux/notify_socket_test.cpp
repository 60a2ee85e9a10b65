// The tasks' ends of the heartbeat wire.
#include "linux/socket/notify_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "linux/process/process.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;
using core::HeartbeatAccess;

namespace {

struct Wire {
    NothingLeft nothing_left;
    TempDir directory;
    NotifySocket socket = NotifySocket::create(directory.path()).value();
    NotifyReceiver receiver;
    UniqueFd sender{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    std::vector<std::string> texts;
    std::vector<std::size_t> descriptors;

    Wire() {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, socket.path().c_str());
        REQUIRE(::connect(sender.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }

    /// Sends with `copies` copies of a descriptor attached.
    [[nodiscard]] bool send(const std::string& text, std::size_t copies = 0) const {
        std::vector<char> control(CMSG_SPACE(copies * sizeof(int)));
        iovec part{const_cast<char*>(text.data()), text.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        if (copies > 0) {
            header.msg_control = control.data();
            header.msg_controllen = control.size();
            cmsghdr* const rights = CMSG_FIRSTHDR(&header);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(copies * sizeof(int));
            const std::vector<int> fds(copies, sender.get());
            std::memcpy(CMSG_DATA(rights), fds.data(), copies * sizeof(int));
        }
        return ::sendmsg(sender.get(), &header, MSG_NOSIGNAL) >= 0;
    }

    NotifyCount receive(std::size_t max = 1000) {
        return receiver.receive(socket.fd(), max, [this](const NotifyMessage& message) {
            CHECK(message.pid == ::getpid());
            CHECK(message.uid == ::getuid());
            texts.emplace_back(message.text);
            descriptors.push_back(message.descriptors);
        });
    }
};

}  // namespace

TEST_CASE(
    "a notify socket lies under an unguessable name that anybody may write to, and goes with its owner") {
    const NothingLeft nothing_left;
    const TempDir directory;
    const mode_t before = ::umask(077);
    std::string path;
    {
        auto socket = NotifySocket::create(directory.path());
        REQUIRE(socket.ok());
        path = socket->path();
        CHECK(path.size() == directory.path().size() + 1 + 32);
        struct stat status {};
        REQUIRE(::stat(path.c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0666);
        NotifySocket moved = std::move(socket).value();
        NotifySocket other = NotifySocket::create(directory.path()).value();
        other = std::move(moved);
        CHECK(other.path() == path);
        CHECK(::access(path.c_str(), F_OK) == 0);
    }
    ::umask(before);
    CHECK(::access(path.c_str(), F_OK) != 0);
    CHECK(::rmdir(directory.path().c_str()) == 0);
}

TEST_CASE("nasty 70: a notify directory whose path is too long is a clear error") {
    const auto made = NotifySocket::create("/" + std::string(90, 'd'));
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == ENAMETOOLONG);
}

TEST_CASE("a message comes with the pid and uid of its sender, in order") {
    Wire wire;
    REQUIRE(wire.send("READY=1"));
    REQUIRE(wire.send("WATCHDOG=1\nSTATUS=x"));
    const NotifyCount count = wire.receive();
    CHECK(count.handed_out == 2);
    CHECK(count.dropped == 0);
    CHECK_FALSE(count.more);
    CHECK(wire.texts == std::vector<std::string>{"READY=1", "WATCHDOG=1\nSTATUS=x"});
    CHECK(wire.receive().handed_out == 0);
}

TEST_CASE(
    "nasty 39: empty, binary and largest messages are handed out, longer ones dropped, the socket lives") {
    Wire wire;
    REQUIRE(wire.send(""));
    REQUIRE(wire.send(std::string("\0\xff\x01", 3)));
    REQUIRE(wire.send(std::string(4096, 'x')));
    REQUIRE(wire.send(std::string(4097, 'x')));
    REQUIRE(wire.send("after"));
    const NotifyCount count = wire.receive();
    CHECK(count.handed_out == 4);
    CHECK(count.too_long == 1);
    CHECK(count.dropped == 0);
    CHECK(wire.texts.front().empty());
    CHECK(wire.texts[1] == std::string("\0\xff\x01", 3));
    CHECK(wire.texts[2].size() == 4096);
    CHECK(wire.texts[3] == "after");
}

TEST_CASE("nasty 39: a message of 1 MB is dropped or refused, the socket lives") {
    Wire wire;
    const int size = 2 << 20;
    ::setsockopt(wire.sender.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    const bool sent = wire.send(std::string(1 << 20, 'x'));
    CHECK(wire.receive().too_long == (sent ? 1 : 0));
    REQUIRE(wire.send("after"));
    CHECK(wire.receive().handed_out == 1);
}

TEST_CASE("nasty 40: descriptors that come with messages are closed, a thousand of them") {
    Wire wire;
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 4; ++i) REQUIRE(wire.send("BARRIER=1", 250));
    REQUIRE(wire.send("none"));
    const NotifyCount count = wire.receive();
    CHECK(count.handed_out == 5);
    CHECK(count.dropped == 0);
    CHECK(wire.descriptors == std::vector<std::size_t>{250, 250, 250, 250, 0});
    CHECK(open_descriptors() == before);
}

TEST_CASE("nasty 40: a barrier is open while its message is handled and closed right after") {
    Wire wire;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    std::swap(wire.sender, writer);
    const int pipe_end = wire.sender.get();
    std::swap(wire.sender, writer);
    std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{const_cast<char*>("BARRIER=1"), 9};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &pipe_end, sizeof pipe_end);
    REQUIRE(::sendmsg(wire.sender.get(), &header, 0) == 9);
    writer.reset();
    char byte = 0;
    ssize_t during = 1;
    int during_errno = 0;
    wire.receiver.receive(wire.socket.fd(), 10, [&](const NotifyMessage&) {
        during = ::read(reader.get(), &byte, 1);
        during_errno = errno;
    });
    CHECK(during == -1);
    CHECK(during_errno == EAGAIN);
    CHECK(::read(reader.get(), &byte, 1) == 0);
}

TEST_CASE("nasty 37: a flood is read in bounded portions") {
    Wire wire;
    std::size_t sent = 0;
    while (sent < 1000 && wire.send("WATCHDOG=1")) ++sent;
    REQUIRE(sent > 5);
    CHECK(wire.receive(5).handed_out == 5);
    CHECK(wire.receive(5).more == (sent >= 10));
    std::size_t rest = 0;
    for (NotifyCount count = wire.receive(5); count.handed_out > 0; count = wire.receive(5))
        rest += count.handed_out;
    CHECK(rest == sent - (sent >= 10 ? 10 : sent));
}

TEST_CASE("nasty 38: only whom the access rule names belongs to a run") {
    SpawnBench bench;
    SpawnOutcome main = bench.spawn(SpawnBench::shell("sleep 100 & set -m; sleep 100 & set +m; echo $! > " +
                                                      (bench.directory() / "job") + "; wait"));
    SpawnOutcome stranger = bench.spawn(SpawnBench::spec({"/bin/sleep", "100"}));
    REQUIRE_FALSE(main.failure);
    REQUIRE(eventually([&] { return read_whole(bench.directory() / "job").ends_with('\n'); }));
    const pid_t job = std::stoi(read_whole(bench.directory() / "job"));
    const RunIdentity run{.main_pid = main.pid, .leader = main.pid, .uid = 1234};
    CHECK(sender_belongs(main.pid, 0, run, HeartbeatAccess::main));
    CHECK(sender_belongs(main.pid, 0, run, HeartbeatAccess::group));
    CHECK_FALSE(sender_belongs(job, 0, run, HeartbeatAccess::main));
    CHECK(sender_belongs(job, 0, run, HeartbeatAccess::group));
    CHECK_FALSE(sender_belongs(stranger.pid, 1234, run, HeartbeatAccess::group));
    CHECK(sender_belongs(stranger.pid, 0, run, HeartbeatAccess::all));
    CHECK_FALSE(sender_belongs(::getpid(), 1234, run, HeartbeatAccess::group));
    // Without a number in our pid namespace it is nobody we know, least of all ourselves.
    CHECK_FALSE(sender_belongs(0, 1234, run, HeartbeatAccess::group));
    CHECK_FALSE(sender_belongs(0, 1234, RunIdentity{0, ::getpgid(0), 1234}, HeartbeatAccess::main));
    finish_off(stranger);
    // A short-lived sender that is gone counts by its uid.
    CHECK(sender_belongs(stranger.pid, 1234, run, HeartbeatAccess::group));
    CHECK_FALSE(sender_belongs(stranger.pid, 4321, run, HeartbeatAccess::group));
    CHECK_FALSE(sender_belongs(stranger.pid, 1234, run, HeartbeatAccess::main));
    REQUIRE(signal_process(open_pidfd(job).value().get(), 9).ok());
    finish_off(main);
}

TEST_CASE("nasty 49: the end of a heartbeat pipe is told, after what stood before it") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    std::array<char, 8> bytes;
    CHECK(read_heartbeat_pipe(reader.get(), bytes).size == 0);
    CHECK_FALSE(read_heartbeat_pipe(reader.get(), bytes).ended);
    REQUIRE(::write(writer.get(), "0123456789", 10) == 10);
    writer.reset();
    CHECK(read_heartbeat_pipe(reader.get(), bytes).size == 8);
    const auto rest = read_heartbeat_pipe(reader.get(), bytes);
    CHECK(rest.size == 2);
    CHECK_FALSE(rest.ended);
    CHECK(read_heartbeat_pipe(reader.get(), bytes).ended);
}
