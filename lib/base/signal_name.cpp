#include "base/signal_name.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstring>

namespace vigil {
namespace {

constexpr int kHighest = 64;

struct Alias {
    std::string_view name;
    int signal;
};

/// Names that kill(1) reads beside the one of each signal that sigabbrev_np(3) gives.
constexpr std::array<Alias, 3> kAliases{{{"IO", SIGIO}, {"IOT", SIGABRT}, {"CLD", SIGCHLD}}};

std::optional<int> parse_number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
    if (text.empty() || text.size() > 16) return std::nullopt;
    if (std::isdigit(static_cast<unsigned char>(text[0])) != 0) {
        const auto number = parse_number(text);
        return number && *number >= 1 && *number <= kHighest ? number : std::nullopt;
    }
    std::string name(text);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (name.starts_with("SIG")) name.erase(0, 3);
    for (int signal = 1; signal < SIGRTMIN; ++signal) {
        const char* known = ::sigabbrev_np(signal);  // glibc >= 2.32
        if (known != nullptr && name == known) return signal;
    }
    for (const Alias& alias : kAliases)
        if (name == alias.name) return alias.signal;
    if (name == "RTMAX") return SIGRTMAX;
    if (name.starts_with("RTMIN")) {
        if (name.size() == 5) return SIGRTMIN;
        if (name[5] != '+') return std::nullopt;
        const auto offset = parse_number(std::string_view(name).substr(6));
        if (offset && *offset >= 0 && SIGRTMIN + *offset <= kHighest) return SIGRTMIN + *offset;
    }
    return std::nullopt;
}

std::string signal_name(int signal) {
    if (const char* known = ::sigabbrev_np(signal)) return known;
    if (signal == SIGRTMIN) return "RTMIN";
    if (signal > SIGRTMIN && signal <= kHighest) return "RTMIN+" + std::to_string(signal - SIGRTMIN);
    return std::to_string(signal);
}

}  // namespace vigil
