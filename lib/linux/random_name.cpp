#include "linux/random_name.hpp"

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

}  // namespace vigil::os
