#include "linux/file/random_name.hpp"

#include <sys/random.h>

#include <cerrno>

namespace vigil::os {

Result<void> draw_random(std::array<std::uint8_t, 16>& out) {
    // Up to 256 bytes are never cut short, but the first call after boot can be interrupted while it waits
    // (getrandom(2)).
    ssize_t size = 0;
    do {
        size = ::getrandom(out.data(), out.size(), 0);
    } while (size < 0 && errno == EINTR);
    if (size != static_cast<ssize_t>(out.size())) return Failure{errno_error("drawing random bits")};
    return {};
}

std::string to_hex(const std::array<std::uint8_t, 16>& bits) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bits.size() * 2);
    for (const unsigned byte : bits) {
        text.push_back(kDigits[byte >> 4U]);
        text.push_back(kDigits[byte & 0xFU]);
    }
    return text;
}

std::optional<std::array<std::uint8_t, 16>> from_hex(std::string_view text) noexcept {
    std::array<std::uint8_t, 16> bits{};
    if (text.size() != bits.size() * 2) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool letter = c >= 'a' && c <= 'f';
        if (!letter && (c < '0' || c > '9')) return std::nullopt;
        const auto digit = static_cast<unsigned>(letter ? c - 'a' + 10 : c - '0');
        bits[i / 2] = static_cast<std::uint8_t>(unsigned{bits[i / 2]} << 4U | digit);
    }
    return bits;
}

}  // namespace vigil::os
