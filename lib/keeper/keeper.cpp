#include "keeper/keeper.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "linux/self/limits.hpp"
#include "linux/socket/peer.hpp"

namespace vigil::keeper {
namespace {

using std::chrono::milliseconds;

/// Packets of one connection in a turn.
constexpr std::size_t kBatch = 64;
/// More than the queue of a client's socket holds: of the 2 MiB that a Client asks for, the smallest packet
/// takes over 512 bytes.
constexpr std::size_t kWholeQueue = 4096;
/// Descriptors that are not for entries: our own, the connections, and those of a packet on its arrival.
constexpr std::size_t kOwnDescriptors = 16 + os::kMostPassed;
/// How long to wait where no poll tells when something is to be had again.
constexpr milliseconds kPause{10};

/// An empty packet looks like the end of a connection; only this tells them apart. Empty packets that are
/// left behind by one who has gone do not count.
bool has_ended(int socket) {
    pollfd state{socket, POLLRDHUP, 0};
    int queued = 0;
    return ::poll(&state, 1, 0) == 1 && (::ioctl(socket, SIOCINQ, &queued) != 0 || queued == 0);
}

}  // namespace

Result<Keeper> Keeper::create(UniqueFd listener, Limits limits) {
    const auto files = os::raise_open_file_limit();
    if (!files) return Failure{files.error()};
    limits.connections = std::min(limits.connections, kMostConnections);
    const auto own = static_cast<rlim_t>(kOwnDescriptors + limits.connections);
    const rlim_t left = files->now.rlim_cur - std::min(files->now.rlim_cur, own);
    const std::size_t room = static_cast<std::size_t>(std::min(left, rlim_t{1} << 30U));
    return Keeper(std::move(listener), limits,
                  limits.descriptors == 0 ? room : std::min(room, limits.descriptors));
}

Keeper::Keeper(UniqueFd listener, Limits limits, std::size_t descriptors)
    : listener_(std::move(listener)),
      most_connections_(limits.connections),
      table_(limits.entries, descriptors) {
    connections_.reserve(most_connections_);
}

Status Keeper::status() const {
    Status status = counters_;
    status.pid = static_cast<std::uint64_t>(::getpid());
    table_.describe(status);
    return status;
}

Result<void> Keeper::run() {
    for (;;) {
        const auto goes_on = turn(milliseconds(-1));
        if (!goes_on) return Failure{goes_on.error()};
        if (!*goes_on) return {};
    }
}

Result<bool> Keeper::turn(milliseconds limit) {
    if (!listener_) return false;
    std::array<pollfd, kMostConnections + 1> waits;
    const bool accepts = connections_.size() < most_connections_ && !listener_paused_;
    waits[0] = {accepts ? listener_.get() : -1, POLLIN, 0};
    bool paused = std::exchange(listener_paused_, false);
    const std::size_t count = connections_.size();
    for (std::size_t i = 0; i < count; ++i) {
        Connection& one = connections_[i];
        const bool sends = one.owed != Owed::nothing && !one.paused;
        waits[i + 1] = {one.socket.get(), static_cast<short>(sends ? POLLIN | POLLOUT : POLLIN), 0};
        paused |= std::exchange(one.paused, false);
    }
    if (paused && (limit < milliseconds(0) || limit > kPause)) limit = kPause;
    if (::poll(waits.data(), count + 1, static_cast<int>(limit.count())) < 0) {
        if (errno == EINTR || errno == ENOMEM) return true;
        return Failure{errno_error("waiting for clients")};
    }
    if (waits[0].revents != 0) accept_waiting();
    for (std::size_t i = 0; i < count && listener_; ++i)
        if ((waits[i + 1].revents & ~POLLOUT) != 0) receive(connections_[i], kBatch);
    for (std::size_t i = 0; i < connections_.size() && listener_; ++i) answer(connections_[i]);
    std::erase_if(connections_, [](const Connection& one) { return !one.socket; });
    return bool(listener_);
}

void Keeper::accept_waiting() {
    while (connections_.size() < most_connections_) {
        UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            listener_paused_ = errno != EAGAIN;
            return;
        }
        const auto peer = os::peer_of(socket.get());
        if (!peer || (peer->uid != ::geteuid() && peer->uid != 0)) {
            ++counters_.turned_away;
            continue;
        }
        Connection connection;
        connection.socket = std::move(socket);
        connections_.push_back(std::move(connection));
    }
}

void Keeper::receive(Connection& from, std::size_t most) {
    std::array<char, kMostPacket> room;
    for (std::size_t i = 0; i < most && from.socket && listener_; ++i) {
        auto packet = os::receive_packet(from.socket.get(), room);
        if (!packet) {
            if (packet.error() == EAGAIN) return;
            // Told once, before what is still in the queue, of a client that died with unread answers.
            if (packet.error() == ECONNRESET) continue;
            return from.socket.reset();
        }
        const bool nothing = packet->size == 0 && packet->descriptor_count == 0 && !packet->descriptors_cut;
        if (nothing && has_ended(from.socket.get())) return from.socket.reset();
        handle(from, {room.data(), packet->size}, *packet);
    }
}

void Keeper::handle(Connection& from, std::string_view bytes, os::ReceivedPacket& packet) {
    // A packet that was cut is no request.
    const auto parsed = parse_request(packet.cut ? std::string_view() : bytes);
    const bool descriptors = packet.descriptor_count > 0 || packet.descriptors_cut;
    if (parsed && from.greeted)
        if (const auto* const one = std::get_if<request::Put>(&*parsed)) return put(one->key, packet);
    if (!parsed || descriptors) {
        ++counters_.malformed;
    } else if (const auto* const hello = std::get_if<request::Hello>(&*parsed)) {
        owe(from, hello->protocol == kProtocol ? Owed::welcome : Owed::wrong_protocol);
    } else if (std::holds_alternative<request::End>(*parsed)) {
        end(from);
    } else if (!from.greeted) {
        ++counters_.malformed;
    } else if (const auto* const one = std::get_if<request::Drop>(&*parsed)) {
        table_.drop(one->key);
    } else {
        owe(from, std::holds_alternative<request::List>(*parsed) ? Owed::list : Owed::status);
    }
}

void Keeper::put(std::string_view key, os::ReceivedPacket& packet) {
    const std::size_t count = packet.descriptor_count;
    if (count > kMostDescriptors || (count == 0 && !packet.descriptors_cut)) {
        ++counters_.malformed;
    } else if (packet.descriptors_cut || !table_.put(key, std::span(packet.descriptors).first(count))) {
        ++counters_.refused;
    }
}

void Keeper::owe(Connection& to, Owed owed) {
    if (to.owed != Owed::nothing) {
        ++counters_.malformed;
        return;
    }
    to.owed = owed;
    to.begun = false;
    if (owed == Owed::welcome) to.greeted = true;
}

void Keeper::end(Connection& by) {
    table_.clear();
    listener_.reset();
    // One who does not read sees the end of the connection instead.
    static_cast<void>(send(by, answer::Ended{}));
    for (Connection& one : connections_) one.socket.reset();
}

/// Everything that was sent up to now.
void Keeper::settle() {
    accept_waiting();
    for (std::size_t i = 0; i < connections_.size() && listener_; ++i)
        if (connections_[i].socket) receive(connections_[i], kWholeQueue);
}

void Keeper::answer(Connection& to) {
    if (!to.socket || to.paused) return;
    bool sent = true;
    switch (to.owed) {
        case Owed::nothing: return;
        case Owed::welcome: sent = send(to, answer::Welcome{}); break;
        case Owed::wrong_protocol: sent = send(to, answer::WrongProtocol{}); break;
        case Owed::status: sent = send(to, answer::StatusNow{status()}); break;
        case Owed::list: return answer_list(to);
    }
    if (sent) to.owed = Owed::nothing;
}

void Keeper::answer_list(Connection& to) {
    if (!std::exchange(to.begun, true)) {
        to.last_key.clear();
        to.sent = 0;
        settle();
    }
    const auto& entries = table_.entries();
    auto next = entries.upper_bound(to.last_key);  // no key is empty
    for (; to.socket && to.owed == Owed::list && next != entries.end(); ++next) {
        const auto& [key, held] = *next;
        if (!send(to, answer::Entry{key}, std::span(held.descriptors).first(held.count))) return;
        to.last_key = key;
        ++to.sent;
    }
    if (!to.socket || !send(to, answer::Listed{to.sent, status()})) return;
    to.owed = Owed::nothing;
}

/// False: not now. Whoever has gone is owed nothing any more; what it has sent is still read.
bool Keeper::send(Connection& to, const Answer& answer, std::span<const UniqueFd> descriptors) {
    std::array<int, kMostDescriptors> numbers;
    for (std::size_t i = 0; i < descriptors.size(); ++i) numbers[i] = descriptors[i].get();
    const auto sent = os::send_packet(to.socket.get(), encode(answer).bytes(),
                                      std::span<const int>(numbers).first(descriptors.size()));
    if (sent) return true;
    if (sent.error() == EAGAIN) return false;
    to.paused = sent.error() == ETOOMANYREFS || sent.error() == ENOBUFS || sent.error() == ENOMEM;
    if (!to.paused) to.owed = Owed::nothing;
    return false;
}

}  // namespace vigil::keeper
