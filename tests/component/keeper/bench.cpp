#include "bench.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>

#include "linux/self/limits.hpp"
#include "linux/self/signals.hpp"
#include "linux/socket/descriptor_passing.hpp"

namespace vigil::keeper::test {

Bench::Bench() {
    REQUIRE(os::raise_open_file_limit().ok());
    auto lock = os::InstanceLock::take(directory_ / "lock");
    REQUIRE(lock.ok());
    lock_ = std::move(lock).value();
}

Bench::~Bench() {
    if (started_) kill();
}

Result<Started> Bench::try_start(const std::string& program) {
    return keeper::start(*lock_, {.program = program, .socket = socket()});
}

void Bench::start() {
    auto started = try_start();
    REQUIRE_MESSAGE(started.ok(), started.error().text());
    started_ = std::move(started).value();
}

std::unique_ptr<Client> Bench::connect() const {
    auto client = Client::connect(socket(), 10s);
    REQUIRE_MESSAGE(client.ok(), client.error().text());
    return std::move(client).value();
}

void Bench::kill() {
    ::kill(pid(), SIGKILL);
    static_cast<void>(wait_for_end());
}

int Bench::wait_for_end() {
    pollfd ends{started_->pidfd.get(), POLLIN, 0};
    CHECK(::poll(&ends, 1, 10'000) == 1);
    const int status = wait_for(pid());
    started_.reset();
    return status;
}

void Bench::end() {
    CHECK(connect()->end().ok());
    const int status = wait_for_end();
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK_FALSE(std::filesystem::exists(socket()));
}

std::size_t Bench::descriptors() const {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid()) + "/fd");
    return static_cast<std::size_t>(std::distance(all, std::filesystem::directory_iterator()));
}

Pipe::Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    reads.reset(ends[0]);
    writes.reset(ends[1]);
}

void Pipe::write(const std::string& text) const {
    REQUIRE(::write(writes.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

void Pipe::put(const Client& client, const std::string& key) const {
    const int fd = reads.get();
    const auto done = client.put(key, {&fd, 1});
    REQUIRE_MESSAGE(done.ok(), done.error().text());
}

std::string text_in(const UniqueFd& reads) {
    char room[4096];
    const ssize_t size = ::read(reads.get(), room, sizeof room);
    return size < 0 ? "errno " + std::to_string(errno) : std::string(room, static_cast<std::size_t>(size));
}

Listing list(Client& client) {
    auto listing = client.list(10s);
    REQUIRE_MESSAGE(listing.ok(), listing.error().text());
    return std::move(listing).value();
}

std::vector<std::string> keys_of(const Listing& listing) {
    std::vector<std::string> keys;
    for (const Entry& entry : listing.entries) keys.push_back(entry.key);
    return keys;
}

Status status(Client& client) {
    const auto status = client.status(10s);
    REQUIRE_MESSAGE(status.ok(), status.error().text());
    return *status;
}

Raw::Raw(const std::string& path)
    : socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)),
      given_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::connect(fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

void Raw::send(std::string_view bytes, std::size_t descriptors) const {
    const std::vector<int> copies(descriptors, given_.get());
    REQUIRE(os::send_packet(fd(), bytes, copies).ok());
}

std::string Raw::receive() const {
    pollfd readable{fd(), POLLIN, 0};
    REQUIRE(::poll(&readable, 1, 10'000) == 1);
    char room[kMostPacket];
    const auto packet = os::receive_packet(fd(), room);
    return packet ? std::string(room, packet->size) : std::string();
}

pid_t in_child(const std::function<void()>& body) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        // A failed REQUIRE must not go on with the test in the child, nor doctest report its signals.
        try {
            REQUIRE(os::reset_signals().ok());
            body();
        } catch (...) {
            ::_exit(99);
        }
        ::_exit(0);
    }
    return child;
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) REQUIRE(errno == EINTR);
    return status;
}

bool killed_by(int status, int signal) {
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

}  // namespace vigil::keeper::test
