// Layer base. Shell patterns for task names.
#pragma once

#include <string_view>

namespace vigil {

/// Whole-string match with `*`, `?`, `[a-z]`, `[!a-z]` and `\` before a literal, also within brackets
/// (glob(7), without path rules and character classes). An unclosed bracket and a last `\` stand for
/// themselves. Time is O(pattern * text) in the worst case, without recursion.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text) noexcept;

/// True when the pattern can match more than one text, i.e. holds a metacharacter.
[[nodiscard]] bool is_glob(std::string_view pattern) noexcept;

}  // namespace vigil
