// Any bytes as a packet to a keeper: parsed, and served beside what an entry was put with before. The first
// byte says how many descriptors come with it and whether there was a Hello; the rest is the packet.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "keeper/keeper.hpp"
#include "linux/socket/descriptor_passing.hpp"

using namespace vigil;
using namespace vigil::keeper;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

/// The lowest free descriptor: the same before and after where none leaks.
int lowest_free() {
    const int fd = ::dup(STDERR_FILENO);
    ::close(fd);
    return fd;
}

void parse_both(std::string_view packet) {
    if (const auto request = parse_request(packet)) check(encode(*request).bytes() == packet);
    if (const auto answer = parse_answer(packet)) check(encode(*answer).bytes() == packet);
}

void step(Keeper& keeper) {
    check(keeper.turn(std::chrono::milliseconds(0)).ok());
}

/// Takes what was answered, and tells whether all of it was answers.
bool read_answers(int socket) {
    std::array<char, kMostPacket> room;
    for (;;) {
        const auto packet = os::receive_packet(socket, room);
        if (!packet || packet->size == 0) return true;
        if (!parse_answer({room.data(), packet->size})) return false;
    }
}

void serve(std::string_view packet, std::size_t descriptors, bool greeted) {
    // An abstract name that the kernel chooses: nothing is left in any directory.
    UniqueFd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    check(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)) == 0);
    check(::listen(listener.get(), 1) == 0);
    socklen_t size = sizeof address;
    check(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    auto keeper = Keeper::create(std::move(listener));
    check(keeper.ok());
    const UniqueFd client(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    check(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    const std::array<int, os::kMostPassed> given{0, 1, 2, 0, 1, 2, 0, 1};
    const auto send = [&](std::string_view bytes, std::size_t count) {
        check(os::send_packet(client.get(), bytes, std::span(given).first(count)).ok());
        step(*keeper);
        step(*keeper);
    };
    if (greeted) send(encode(request::Hello{}).bytes(), 0);
    if (greeted) send(encode(request::Put{"before"}).bytes(), 2);
    send(packet, descriptors);
    check(read_answers(client.get()));
    const Status status = keeper->status();
    check(status.descriptors <= status.entries * kMostDescriptors && status.entries <= 2);
    if (!greeted) check(status.entries == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view packet(reinterpret_cast<const char*>(data + 1), size - 1);
    parse_both(packet);
    const int before = lowest_free();
    if (packet.size() <= 4096) serve(packet, data[0] % (os::kMostPassed + 1), (data[0] & 0x80U) != 0);
    check(lowest_free() == before);
    return 0;
}
