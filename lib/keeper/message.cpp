#include "keeper/message.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace vigil::keeper {
namespace {

constexpr std::array kStatusFields = {&Status::pid,          &Status::entries,          &Status::descriptors,
                                      &Status::most_entries, &Status::most_descriptors, &Status::refused,
                                      &Status::malformed,    &Status::turned_away};
constexpr std::size_t kStatusSize = kStatusFields.size() * 8;
static_assert(1 + kMostKey <= kMostPacket && 1 + 8 + kStatusSize <= kMostPacket);

template <typename... Cases>
struct Match : Cases... {
    using Cases::operator()...;
};
template <typename... Cases>
Match(Cases...) -> Match<Cases...>;

Packet with_key(std::uint8_t kind, std::string_view key) {
    VIGIL_CHECK(is_key(key), "a key of the wrong size");
    Packet packet(kind);
    packet.append(key);
    return packet;
}

Packet with_protocol(std::uint8_t kind, std::uint16_t protocol, std::string_view before = {}) {
    Packet packet(kind);
    packet.append(before);
    packet.append_number(protocol, 2);
    return packet;
}

void append(Packet& packet, const Status& status) {
    for (const auto field : kStatusFields) packet.append_number(status.*field, 8);
}

/// Of as many bytes as there are, up to eight.
std::uint64_t number_of(std::string_view bytes) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        number |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
    return number;
}

Status status_of(std::string_view bytes) {
    Status status;
    for (const auto field : kStatusFields) {
        status.*field = number_of(bytes.substr(0, 8));
        bytes.remove_prefix(8);
    }
    return status;
}

template <typename Value, typename One>
std::optional<Value> where(bool holds, One one) {
    if (!holds) return std::nullopt;
    return Value(one);
}

}  // namespace

void Packet::append(std::string_view bytes) noexcept {
    VIGIL_CHECK(bytes.size() <= bytes_.size() - size_, "a packet that is too long");
    std::copy(bytes.begin(), bytes.end(), bytes_.data() + size_);
    size_ += bytes.size();
}

void Packet::append_number(std::uint64_t number, std::size_t bytes) noexcept {
    for (std::size_t i = 0; i < bytes; ++i) append(static_cast<char>(number >> (8 * i) & 0xFFU));
}

Packet encode(const Request& request) {
    return std::visit(Match{[](const request::Hello& hello) {
                                return with_protocol(wire::kHello, hello.protocol, wire::kGreeting);
                            },
                            [](const request::Put& put) { return with_key(wire::kPut, put.key); },
                            [](const request::Drop& drop) { return with_key(wire::kDrop, drop.key); },
                            [](const request::List&) { return Packet(wire::kList); },
                            [](const request::AskStatus&) { return Packet(wire::kAskStatus); },
                            [](const request::End&) { return Packet(wire::kEnd); }},
                      request);
}

Packet encode(const Answer& answer) {
    return std::visit(
        Match{[](const answer::Welcome& welcome) { return with_protocol(wire::kWelcome, welcome.protocol); },
              [](const answer::WrongProtocol& wrong) {
                  return with_protocol(wire::kWrongProtocol, wrong.protocol);
              },
              [](const answer::Entry& entry) { return with_key(wire::kEntry, entry.key); },
              [](const answer::Listed& listed) {
                  Packet packet(wire::kListed);
                  packet.append_number(listed.count, 8);
                  append(packet, listed.status);
                  return packet;
              },
              [](const answer::StatusNow& now) {
                  Packet packet(wire::kStatus);
                  append(packet, now.status);
                  return packet;
              },
              [](const answer::Ended&) { return Packet(wire::kEnded); }},
        answer);
}

std::optional<Request> parse_request(std::string_view packet) {
    if (packet.empty() || packet.size() > kMostPacket) return std::nullopt;
    const std::string_view body = packet.substr(1);
    switch (static_cast<std::uint8_t>(packet.front())) {
        case wire::kHello: {
            const std::size_t size = wire::kGreeting.size();
            if (body.size() != size + 2 || !body.starts_with(wire::kGreeting)) return std::nullopt;
            return request::Hello{static_cast<std::uint16_t>(number_of(body.substr(size)))};
        }
        case wire::kPut: return where<Request>(is_key(body), request::Put{body});
        case wire::kDrop: return where<Request>(is_key(body), request::Drop{body});
        case wire::kList: return where<Request>(body.empty(), request::List{});
        case wire::kAskStatus: return where<Request>(body.empty(), request::AskStatus{});
        case wire::kEnd: return where<Request>(body.empty(), request::End{});
        default: return std::nullopt;
    }
}

std::optional<Answer> parse_answer(std::string_view packet) {
    if (packet.empty() || packet.size() > kMostPacket) return std::nullopt;
    const std::string_view body = packet.substr(1);
    const auto protocol = static_cast<std::uint16_t>(number_of(body.substr(0, 2)));
    switch (static_cast<std::uint8_t>(packet.front())) {
        case wire::kWelcome: return where<Answer>(body.size() == 2, answer::Welcome{protocol});
        case wire::kWrongProtocol: return where<Answer>(body.size() == 2, answer::WrongProtocol{protocol});
        case wire::kEntry: return where<Answer>(is_key(body), answer::Entry{body});
        case wire::kListed:
            if (body.size() != 8 + kStatusSize) return std::nullopt;
            return answer::Listed{number_of(body.substr(0, 8)), status_of(body.substr(8))};
        case wire::kStatus:
            if (body.size() != kStatusSize) return std::nullopt;
            return answer::StatusNow{status_of(body)};
        case wire::kEnded: return where<Answer>(body.empty(), answer::Ended{});
        default: return std::nullopt;
    }
}

}  // namespace vigil::keeper
