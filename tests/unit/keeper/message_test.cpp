#include "keeper/message.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace vigil::keeper;
using namespace std::string_literals;

namespace {

std::string bytes_of(const Packet& packet) {
    return std::string(packet.bytes());
}

/// Packets that must be no request, or no answer.
void every_other_size_is_refused(const std::string& packet, bool (*accepts)(std::string_view)) {
    CHECK(accepts(packet));
    for (std::size_t size = 0; size < packet.size(); ++size) CHECK_FALSE(accepts(packet.substr(0, size)));
    CHECK_FALSE(accepts(packet + '\0'));
}

bool is_request(std::string_view packet) {
    return parse_request(packet).has_value();
}
bool is_answer(std::string_view packet) {
    return parse_answer(packet).has_value();
}

}  // namespace

TEST_CASE("the bytes of a request are those of the manual") {
    CHECK(bytes_of(encode(request::Hello{})) == "\x01vigil-keeper\x01\0"s);
    CHECK(bytes_of(encode(request::Hello{0x1234})) == "\x01vigil-keeper\x34\x12"s);
    CHECK(bytes_of(encode(request::Put{"web.7"})) == "\x02web.7"s);
    CHECK(bytes_of(encode(request::Drop{"web.7"})) == "\x03web.7"s);
    CHECK(bytes_of(encode(request::List{})) == "\x04"s);
    CHECK(bytes_of(encode(request::AskStatus{})) == "\x05"s);
    CHECK(bytes_of(encode(request::End{})) == "\x06"s);
}

TEST_CASE("a request that was encoded is parsed to the same request") {
    const std::string longest(kMostKey, '\xff');
    for (const std::string& key : {"k"s, "\0"s, "a b\n"s, longest}) {
        const Packet put = encode(request::Put{key});
        const auto parsed = parse_request(put.bytes());
        REQUIRE(parsed);
        REQUIRE(std::holds_alternative<request::Put>(*parsed));
        CHECK(std::get<request::Put>(*parsed).key == key);
        const Packet drop = encode(request::Drop{key});
        CHECK(std::get<request::Drop>(*parse_request(drop.bytes())).key == key);
    }
    CHECK(std::get<request::Hello>(*parse_request(encode(request::Hello{517}).bytes())).protocol == 517);
    CHECK(std::holds_alternative<request::List>(*parse_request(encode(request::List{}).bytes())));
    CHECK(std::holds_alternative<request::AskStatus>(*parse_request(encode(request::AskStatus{}).bytes())));
    CHECK(std::holds_alternative<request::End>(*parse_request(encode(request::End{}).bytes())));
}

TEST_CASE("an answer that was encoded is parsed to the same answer") {
    const Status status{1, 2, 3, 4, 0xffffffffffffffff, 6, 7, 8};
    const Packet listed = encode(answer::Listed{70'000, status});
    CHECK(std::get<answer::Listed>(*parse_answer(listed.bytes())).count == 70'000);
    CHECK(std::get<answer::Listed>(*parse_answer(listed.bytes())).status == status);
    const Packet now = encode(answer::StatusNow{status});
    CHECK(std::get<answer::StatusNow>(*parse_answer(now.bytes())).status == status);
    const Packet entry = encode(answer::Entry{"web.7"});
    CHECK(std::get<answer::Entry>(*parse_answer(entry.bytes())).key == "web.7");
    const Packet wrong = encode(answer::WrongProtocol{9});
    CHECK(std::get<answer::WrongProtocol>(*parse_answer(wrong.bytes())).protocol == 9);
    const Packet welcome = encode(answer::Welcome{});
    CHECK(std::get<answer::Welcome>(*parse_answer(welcome.bytes())).protocol == kProtocol);
    CHECK(std::holds_alternative<answer::Ended>(*parse_answer(encode(answer::Ended{}).bytes())));
}

TEST_CASE("a key of no byte, or of more than 120, is none") {
    for (const char kind : {'\x02', '\x03'}) {
        CHECK_FALSE(parse_request(std::string(1, kind)));
        CHECK(parse_request(kind + std::string(kMostKey, 'k')));
        CHECK_FALSE(parse_request(kind + std::string(kMostKey + 1, 'k')));
    }
    CHECK_FALSE(parse_answer("\x84"));
    CHECK_FALSE(parse_answer('\x84' + std::string(kMostKey + 1, 'k')));
}

TEST_CASE("packets of a fixed size are refused in every other size") {
    every_other_size_is_refused(bytes_of(encode(request::Hello{})), is_request);
    every_other_size_is_refused(bytes_of(encode(request::List{})), is_request);
    every_other_size_is_refused(bytes_of(encode(request::AskStatus{})), is_request);
    every_other_size_is_refused(bytes_of(encode(request::End{})), is_request);
    every_other_size_is_refused(bytes_of(encode(answer::Welcome{})), is_answer);
    every_other_size_is_refused(bytes_of(encode(answer::WrongProtocol{})), is_answer);
    every_other_size_is_refused(bytes_of(encode(answer::Listed{})), is_answer);
    every_other_size_is_refused(bytes_of(encode(answer::StatusNow{})), is_answer);
    every_other_size_is_refused(bytes_of(encode(answer::Ended{})), is_answer);
}

TEST_CASE("a packet of an unknown kind, or of the other side, is none") {
    for (int kind = 0; kind < 256; ++kind) {
        const std::string packet = std::string(1, static_cast<char>(kind)) + "key";
        CAPTURE(kind);
        CHECK(is_request(packet) == (kind == wire::kPut || kind == wire::kDrop));
        CHECK(is_answer(packet) == (kind == wire::kEntry));
    }
    CHECK_FALSE(is_request("\x01vigil-keepes\x01\0"s));
}
