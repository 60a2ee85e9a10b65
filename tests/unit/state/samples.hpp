// Records to write and to compare.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "state/record.hpp"

namespace vigil::state::test {

/// One of each kind, with numbers that are not their defaults; attempts-exhausted with and without a last
/// cause.
[[nodiscard]] std::vector<core::Cause> every_cause();

/// Every field differs from its default, and every text is short enough to be kept whole.
[[nodiscard]] Record full_record(const std::string& name = "api");
/// A name, a generation and a number to know the content by.
[[nodiscard]] Record small_record(const std::string& name, std::uint64_t generation, std::uint64_t runs = 0);
/// Any values, texts up to `longest` bytes of any kind.
[[nodiscard]] Record random_record(std::mt19937_64& random, std::size_t longest);

/// Every field as text: two records are the same when these are.
[[nodiscard]] std::string describe(const core::Cause& cause);
[[nodiscard]] std::string describe(const Record& record);

[[nodiscard]] std::vector<std::uint8_t> encoded(const Record& record);

}  // namespace vigil::state::test
