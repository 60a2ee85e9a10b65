// Layer config, private. Reads checked values through the layers of a configuration: the object itself,
// `defaults` below it, and the defaults of the key table at the bottom.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/decode.hpp"
#include "config/keys.hpp"
#include "json/value.hpp"

namespace vigil::config {

/// Every object given must have passed check_section for `scope` without a problem: a value that does not
/// decode is a broken invariant here, and so is a path that is not in the table. Objects are referred to, not
/// copied.
class Reader {
  public:
    /// Either may be null: nothing there.
    Reader(Scope scope, const json::Value* own, const json::Value* inherited) noexcept
        : scope_(scope), own_(own), inherited_(inherited) {}

    /// The value in the object itself; null when it is not there.
    [[nodiscard]] const json::Value* own(std::string_view path) const { return layers(path).own; }
    /// True when a layer of the configuration has it and it is not null.
    [[nodiscard]] bool has(std::string_view path) const;

    [[nodiscard]] bool boolean(std::string_view path) const;
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view path) const;
    [[nodiscard]] std::optional<double> fraction(std::string_view path) const;
    [[nodiscard]] std::optional<std::chrono::nanoseconds> duration(std::string_view path) const;
    [[nodiscard]] std::optional<std::uint64_t> size(std::string_view path) const;
    [[nodiscard]] std::vector<core::StopStep> stop_steps(std::string_view path) const;
    [[nodiscard]] int signal(std::string_view path) const;
    [[nodiscard]] mode_t mode(std::string_view path) const;
    [[nodiscard]] std::optional<std::string> string(std::string_view path) const;
    [[nodiscard]] std::optional<std::vector<std::string>> strings(std::string_view path) const;
    [[nodiscard]] std::vector<int> exit_codes(std::string_view path) const;
    /// The enumerator with the index of the word.
    template <typename Enum>
    [[nodiscard]] std::optional<Enum> word(std::string_view path) const {
        const std::optional<std::size_t> index = word_index(path);
        return index ? std::optional(static_cast<Enum>(*index)) : std::nullopt;
    }

    /// Variables of both layers; those of the object itself come last, and replace.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> environment(std::string_view path) const;
    /// Limits of both layers, merged side by side.
    [[nodiscard]] std::vector<LimitSides> rlimits(std::string_view path) const;

  private:
    struct Layers {
        const json::Value* own;
        const json::Value* inherited;
    };
    [[nodiscard]] Layers layers(std::string_view path) const;
    [[nodiscard]] const Key& key(std::string_view path) const;
    /// The uppermost value, the table's default at last; null for JSON null or nothing.
    [[nodiscard]] const json::Value* value(std::string_view path) const;
    [[nodiscard]] std::optional<std::size_t> word_index(std::string_view path) const;

    Scope scope_;
    const json::Value* own_;
    const json::Value* inherited_;
};

}  // namespace vigil::config
