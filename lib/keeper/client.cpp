#include "keeper/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include "linux/socket/socket_address.hpp"

namespace vigil::keeper {
namespace {

using Clock = std::chrono::steady_clock;

/// Rounded up, so that a wait does not end before its time.
int milliseconds_until(Clock::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    return static_cast<int>(std::clamp<decltype(left)>(left, 0, 1'000'000));
}

}  // namespace

Error Client::failed(const char* doing, int code) const {
    return Error{std::string(doing) + " the keeper at " + path_, code};
}

Result<std::unique_ptr<Client>> Client::open(const std::string& path, Limit limit) {
    const auto address = os::socket_address(path);
    if (!address)
        return Failure{Error{"the keeper's socket path \"" + path + "\" is empty or too long", ENAMETOOLONG}};
    UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return Failure{errno_error("making a socket for the keeper")};
    // Room for as many hand-overs as we may have, while the keeper waits for a processor.
    const int room = 1 << 20;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    std::unique_ptr<Client> client(new Client(std::move(socket), path));
    for (const auto until = Clock::now() + limit;;) {
        if (::connect(client->socket_.get(), os::plain(*address), sizeof *address) == 0) return client;
        // EAGAIN: as many wait as may wait; no poll tells when that changes.
        if (errno != EAGAIN && errno != EINTR) return Failure{client->failed("connecting to", errno)};
        if (Clock::now() > until) return Failure{client->failed("connecting to", ETIMEDOUT)};
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

bool Client::connected() const noexcept {
    pollfd look{.fd = socket_.get(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&look, 1, 0) == 0;
}

Result<std::unique_ptr<Client>> Client::connect(const std::string& path, Limit limit) {
    const auto until = Clock::now() + limit;
    auto client = open(path, limit);
    if (!client) return client;
    static constexpr const char* kDoing = "greeting";
    if (auto said = (*client)->say(request::Hello{}, {}, kDoing); !said) return Failure{said.error()};
    std::uint16_t theirs = 0;
    const auto welcomed = (*client)->take_answers(kDoing, until, [&](const Answer& answer, auto&) {
        if (const auto* const welcome = std::get_if<answer::Welcome>(&answer)) theirs = welcome->protocol;
        if (const auto* const wrong = std::get_if<answer::WrongProtocol>(&answer)) theirs = wrong->protocol;
        return false;
    });
    if (!welcomed) return Failure{welcomed.error()};
    if (theirs != kProtocol)
        return Failure{Error{"the keeper at " + path + " speaks protocol " + std::to_string(theirs) +
                                 ", this program " + std::to_string(kProtocol),
                             EPROTO}};
    return client;
}

Result<void> Client::say(const Request& request, std::span<const int> descriptors, const char* doing) const {
    const auto sent = os::send_packet(socket_.get(), encode(request).bytes(), descriptors);
    if (!sent) return Failure{failed(doing, sent.error())};
    return {};
}

Result<void> Client::put(std::string_view key, std::span<const int> descriptors) const {
    static constexpr const char* kDoing = "giving descriptors to";
    if (!is_key(key) || descriptors.empty() || descriptors.size() > kMostDescriptors)
        return Failure{failed(kDoing, EINVAL)};
    return say(request::Put{key}, descriptors, kDoing);
}

Result<void> Client::drop(std::string_view key) const {
    static constexpr const char* kDoing = "taking an entry from";
    if (!is_key(key)) return Failure{failed(kDoing, EINVAL)};
    return say(request::Drop{key}, {}, kDoing);
}

Result<void> Client::take_answers(const char* doing, Clock::time_point until, const Handler& handle) {
    std::array<char, kMostPacket> room;
    for (;;) {
        auto packet = os::receive_packet(socket_.get(), room);
        if (packet && packet->size == 0) return Failure{failed(doing, EPIPE)};
        if (packet) {
            const auto answer = packet->cut ? std::nullopt : parse_answer({room.data(), packet->size});
            if (!answer) return Failure{failed(doing, EPROTO)};
            if (!handle(*answer, *packet)) return {};
            continue;
        }
        // ECONNRESET is told once, before what is still in the queue.
        if (packet.error() == ECONNRESET) continue;
        if (packet.error() != EAGAIN) return Failure{failed(doing, packet.error())};
        if (Clock::now() >= until) return Failure{failed(doing, ETIMEDOUT)};
        pollfd readable{socket_.get(), POLLIN, 0};
        ::poll(&readable, 1, milliseconds_until(until));
    }
}

Result<void> Client::ask(const Request& request, const char* doing, Limit limit, const Handler& handle) {
    const std::scoped_lock lock(asking_);
    const auto until = Clock::now() + limit;
    for (;;) {
        const auto said = say(request, {}, doing);
        if (said) break;
        if (said.error().code != EAGAIN) return Failure{said.error()};
        if (Clock::now() >= until) return Failure{failed(doing, ETIMEDOUT)};
        pollfd writable{socket_.get(), POLLOUT, 0};
        ::poll(&writable, 1, milliseconds_until(until));
    }
    auto taken = take_answers(doing, until, handle);
    // An answer that came late would be taken for that to another question.
    if (!taken) ::shutdown(socket_.get(), SHUT_RDWR);
    return taken;
}

Result<Listing> Client::list(Limit limit) {
    Listing listing;
    bool whole = false;
    const auto asked = ask(request::List{}, "listing", limit, [&](const Answer& answer, auto& packet) {
        if (const auto* const entry = std::get_if<answer::Entry>(&answer)) {
            if (packet.descriptors_cut || packet.descriptor_count == 0) {
                ++listing.cut_short;
                return true;
            }
            Entry made{std::string(entry->key), {}};
            made.descriptors.reserve(packet.descriptor_count);
            for (std::size_t i = 0; i < packet.descriptor_count; ++i)
                made.descriptors.push_back(std::move(packet.descriptors[i]));
            listing.entries.push_back(std::move(made));
            return true;
        }
        if (const auto* const listed = std::get_if<answer::Listed>(&answer)) {
            listing.status = listed->status;
            whole = listed->count == listing.entries.size() + listing.cut_short;
        }
        return false;
    });
    if (!asked) return Failure{asked.error()};
    if (!whole) {
        ::shutdown(socket_.get(), SHUT_RDWR);
        return Failure{failed("listing", EPROTO)};
    }
    return listing;
}

Result<Status> Client::status(Limit limit) {
    static constexpr const char* kDoing = "asking";
    std::optional<Status> status;
    const auto asked = ask(request::AskStatus{}, kDoing, limit, [&](const Answer& answer, auto&) {
        if (const auto* const now = std::get_if<answer::StatusNow>(&answer)) status = now->status;
        return false;
    });
    if (!asked) return Failure{asked.error()};
    if (!status) {
        ::shutdown(socket_.get(), SHUT_RDWR);
        return Failure{failed(kDoing, EPROTO)};
    }
    return *status;
}

Result<void> Client::end(Limit limit) {
    static constexpr const char* kDoing = "ending";
    const auto asked = ask(request::End{}, kDoing, limit, [](const Answer& answer, auto&) {
        return !std::holds_alternative<answer::Ended>(answer);
    });
    // It may have ended without being able to say so.
    if (!asked && asked.error().code != EPIPE && asked.error().code != ECONNRESET) return asked;
    return remove_stale(path_, limit);
}

Result<void> Client::remove_stale(const std::string& path, Limit limit) {
    const auto other = open(path, limit);
    if (other || other.error().code == ENOENT) return {};
    if (other.error().code != ECONNREFUSED) return Failure{other.error()};
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Failure{errno_error("removing " + path)};
    return {};
}

Result<void> end_at(const std::string& path, Limit limit) {
    const auto client = Client::open(path, limit);
    return client ? (*client)->end(limit) : Client::remove_stale(path, limit);
}

}  // namespace vigil::keeper
