#include "base/text.hpp"

#include <cstdint>
#include <cstdio>

namespace vigil {

std::size_t utf8_sequence_length(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto continuation = [&](std::size_t i, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const std::uint8_t first = byte(0);
    if (first < 0x80) return 1;
    // The table of well-formed byte sequences, Unicode Standard table 3-7.
    if (first >= 0xC2 && first <= 0xDF) return continuation(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const std::uint8_t low = first == 0xE0 ? 0xA0 : 0x80;
        const std::uint8_t high = first == 0xED ? 0x9F : 0xBF;
        return continuation(1, low, high) && continuation(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const std::uint8_t low = first == 0xF0 ? 0x90 : 0x80;
        const std::uint8_t high = first == 0xF4 ? 0x8F : 0xBF;
        return continuation(1, low, high) && continuation(2) && continuation(3) ? 4 : 0;
    }
    return 0;
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string escape_for_display(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    while (!raw.empty()) {
        std::size_t plain = 0;
        while (plain < raw.size() && raw[plain] >= ' ' && raw[plain] <= '~') ++plain;
        out.append(raw.substr(0, plain));
        raw.remove_prefix(plain);
        if (raw.empty()) break;
        const std::size_t length = utf8_sequence_length(raw);
        const auto first = static_cast<std::uint8_t>(raw[0]);
        const bool control = (length == 1 && ((first < 0x20 && first != '\t') || first == 0x7F)) ||
                             (length == 2 && first == 0xC2 && static_cast<std::uint8_t>(raw[1]) < 0xA0);
        if (length != 0 && !control) {
            out.append(raw.substr(0, length));
            raw.remove_prefix(length);
            continue;
        }
        const std::size_t bad = length == 0 ? 1 : length;
        for (std::size_t i = 0; i < bad; ++i) {
            if (raw[i] == '\n') {
                out.append("\\n");
            } else if (raw[i] == '\r') {
                out.append("\\r");
            } else {
                char hex[5];
                std::snprintf(hex, sizeof hex, "\\x%02x",
                              static_cast<unsigned>(static_cast<std::uint8_t>(raw[i])));
                out.append(hex);
            }
        }
        raw.remove_prefix(bad);
    }
    return out;
}

}  // namespace vigil
