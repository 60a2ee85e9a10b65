// Layer config, private. From the JSON value of a key to a C++ value. The check of a file and the making of
// specs use the same decoders, so what passes the check can be read.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/keys.hpp"
#include "core/spec.hpp"
#include "json/value.hpp"

namespace vigil::config {

/// What is wrong within the value of one key.
struct Fault {
    json::Place place;
    std::string member;  ///< "[2]" or ".nofile": to be put behind the key's path
    std::string message;
};
using Faults = std::vector<Fault>;

// Each gives nothing when the value does not fit its key, and then adds at least one fault. None accepts
// null.
std::optional<bool> decode_boolean(const json::Value& value, Faults& faults);
std::optional<std::int64_t> decode_integer(const Key& key, const json::Value& value, Faults& faults);
std::optional<double> decode_fraction(const json::Value& value, Faults& faults);
std::optional<std::chrono::nanoseconds> decode_duration(const Key& key, const json::Value& value,
                                                        Faults& faults);
/// The index in `key.words`.
std::optional<std::size_t> decode_word(const Key& key, const json::Value& value, Faults& faults);
std::optional<int> decode_signal(const json::Value& value, Faults& faults);
std::optional<mode_t> decode_mode(const json::Value& value, Faults& faults);
/// In bytes.
std::optional<std::uint64_t> decode_size(const Key& key, const json::Value& value, Faults& faults);
/// Not empty.
std::optional<std::vector<core::StopStep>> decode_stop_steps(const json::Value& value, Faults& faults);
/// Kinds path, word_or_path and account.
std::optional<std::string> decode_string(const Key& key, const json::Value& value, Faults& faults);
/// Kinds argv, accounts, patterns and variable_names.
std::optional<std::vector<std::string>> decode_strings(const Key& key, const json::Value& value,
                                                       Faults& faults);
/// Sorted, without duplicates.
std::optional<std::vector<int>> decode_exit_codes(const json::Value& value, Faults& faults);
/// In the order written; nothing for a variable that is left out by null.
using Environment = std::vector<std::pair<std::string, std::optional<std::string>>>;
std::optional<Environment> decode_environment(const json::Value& value, Faults& faults);

/// One of the limits of `rlimits`, as one layer of the configuration has it: a side that it does not name is
/// not set.
struct LimitSides {
    int resource = 0;
    /// Outer: named at all; inner: nothing means unlimited.
    std::optional<std::optional<std::uint64_t>> soft;
    std::optional<std::optional<std::uint64_t>> hard;
    json::Place place;
};
std::optional<std::vector<LimitSides>> decode_rlimits(const json::Value& value, Faults& faults);

/// Finds what is wrong with a value that is not a section; null has been dealt with.
void check_value(const Key& key, const json::Value& value, Faults& faults);

/// "the integer 5", "the string \"x\"", "an array": what was found, for messages.
[[nodiscard]] std::string found_text(const json::Value& value);
/// "expected a, found b"
[[nodiscard]] std::string wrong_type(std::string_view expected, const json::Value& value);
/// "; did you mean \"x\"?" or nothing.
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

/// A resource limit's number, name and whether it counts bytes.
struct LimitName {
    std::string_view name;
    int resource;
    bool bytes;
};
[[nodiscard]] std::span<const LimitName> limit_names() noexcept;

/// Names of environment variables that the daemon itself sets.
[[nodiscard]] std::span<const std::string_view> reserved_variables() noexcept;

/// The names that a signal may be written by, without "SIG".
[[nodiscard]] std::vector<std::string> signal_names();

}  // namespace vigil::config
