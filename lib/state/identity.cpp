#include "state/identity.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/unique_fd.hpp"

namespace vigil::state {
namespace {

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";
constexpr const char* kPidNamespace = "/proc/self/ns/pid";

std::optional<unsigned> digit(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
    return std::nullopt;
}

std::optional<std::array<std::uint8_t, 16>> parse_boot_id(std::string_view text) noexcept {
    std::array<std::uint8_t, 16> id{};
    std::size_t digits = 0;
    for (const char c : text) {
        if (c == '-' || c == '\n') continue;
        const auto value = digit(c);
        if (!value || digits == 32) return std::nullopt;
        id[digits / 2] = static_cast<std::uint8_t>(unsigned{id[digits / 2]} << 4U | *value);
        ++digits;
    }
    if (digits != 32) return std::nullopt;
    return id;
}

}  // namespace

Result<Identity> Identity::current() {
    const UniqueFd file(::open(kBootId, O_RDONLY | O_CLOEXEC));
    std::array<char, 64> text;
    const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
    if (size < 0) return Failure{errno_error(std::string("reading ") + kBootId)};
    const auto id = parse_boot_id({text.data(), static_cast<std::size_t>(size)});
    if (!id) return Failure{Error{std::string(kBootId) + " has no boot id in it", 0}};
    struct stat status {};
    if (::stat(kPidNamespace, &status) != 0)
        return Failure{errno_error(std::string("looking at ") + kPidNamespace)};
    return Identity{.boot_id = *id, .pid_namespace = status.st_ino, .uid = ::geteuid()};
}

std::string boot_id_text(const std::array<std::uint8_t, 16>& id) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < id.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += kDigits[id[i] >> 4U];
        text += kDigits[id[i] & 0xFU];
    }
    return text;
}

}  // namespace vigil::state
