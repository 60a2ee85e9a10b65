#include "state/checksum.hpp"

#include <array>

namespace vigil::state {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41 with its bits reversed

constexpr std::array<std::uint32_t, 256> make_steps() {
    std::array<std::uint32_t, 256> steps{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t rest = byte;
        for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1U) ^ ((rest & 1U) != 0 ? kPolynomial : 0U);
        steps[byte] = rest;
    }
    return steps;
}

constexpr std::array<std::uint32_t, 256> kSteps = make_steps();

}  // namespace

std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t before) noexcept {
    std::uint32_t rest = ~before;
    for (const std::uint8_t byte : bytes) rest = (rest >> 8U) ^ kSteps[(rest ^ byte) & 0xFFU];
    return ~rest;
}

}  // namespace vigil::state
