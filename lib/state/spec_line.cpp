#include "state/spec_line.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "state/checksum.hpp"

namespace vigil::state {
namespace {

constexpr std::string_view kMagic = "vigil-specs";
constexpr std::string_view kVersion = "1";
/// Never reached by counting: what is beyond it is damage, and to count on from it would end at 0.
constexpr std::uint64_t kMostId = std::uint64_t{1} << 62U;

/// What is before the next TAB; takes both away. Nothing: there is none.
std::optional<std::string_view> take_field(std::string_view& rest) noexcept {
    const std::size_t end = rest.find('\t');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view field = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return field;
}

template <typename T>
std::optional<T> number(std::string_view text, int base) noexcept {
    T value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::uint32_t checksum(std::string_view before, std::string_view json) noexcept {
    const auto bytes = [](std::string_view text) {
        return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    };
    return crc32c(bytes(json), crc32c(bytes(before)));
}

}  // namespace

std::string spec_head(std::uint64_t next_id) {
    return std::string(kMagic) + "\t" + std::string(kVersion) + "\t" + std::to_string(next_id) + "\n";
}

std::optional<std::uint64_t> parse_spec_head(std::string_view line) {
    const auto magic = take_field(line);
    const auto version = take_field(line);
    if (magic != kMagic || version != kVersion) return std::nullopt;
    const auto next_id = number<std::uint64_t>(line, 10);
    return next_id && *next_id <= kMostId ? next_id : std::nullopt;
}

std::string spec_line(const StoredSpec& spec) {
    std::string line = std::to_string(spec.id) + "\t" + spec.name + "\t" +
                       (spec.origin == SpecOrigin::added ? "added" : "config") + "\t";
    std::array<char, 16> sum;
    std::snprintf(sum.data(), sum.size(), "%08x\t", checksum(line, spec.json));
    return line.append(sum.data()).append(spec.json).append("\n");
}

std::optional<StoredSpec> parse_spec_line(std::string_view line) {
    std::string_view rest = line;
    const auto id = take_field(rest);
    const auto name = take_field(rest);
    const auto origin = take_field(rest);
    if (!origin || (*origin != "config" && *origin != "added")) return std::nullopt;
    const std::string_view before = line.substr(0, line.size() - rest.size());
    const auto sum = take_field(rest);
    if (!sum || sum->size() != 8 || number<std::uint32_t>(*sum, 16) != checksum(before, rest))
        return std::nullopt;
    const auto value = number<std::uint64_t>(*id, 10);
    if (!value || *value == 0 || *value > kMostId || name->empty()) return std::nullopt;
    return StoredSpec{.id = *value,
                      .name = std::string(*name),
                      .origin = *origin == "added" ? SpecOrigin::added : SpecOrigin::config,
                      .json = std::string(rest)};
}

}  // namespace vigil::state
