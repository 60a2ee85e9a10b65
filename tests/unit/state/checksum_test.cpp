#include "state/checksum.hpp"

#include <doctest/doctest.h>

#include <array>
#include <numeric>
#include <string_view>

namespace vigil::state {
namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST_CASE("the checksum gives the values of RFC 3720, B.4") {
    std::array<std::uint8_t, 32> block{};
    CHECK(crc32c(block) == 0x8A9136AA);
    block.fill(0xFF);
    CHECK(crc32c(block) == 0x62A8AB43);
    std::iota(block.begin(), block.end(), std::uint8_t{0});
    CHECK(crc32c(block) == 0x46DD794E);
    CHECK(crc32c(bytes("123456789")) == 0xE3069283);
    CHECK(crc32c({}) == 0);
}

TEST_CASE("the checksum of two parts is that of the whole") {
    CHECK(crc32c(bytes("6789"), crc32c(bytes("12345"))) == crc32c(bytes("123456789")));
}

}  // namespace
}  // namespace vigil::state
