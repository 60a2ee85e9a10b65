// Layer base. Shell patterns for task names.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vigil {

/// Whole-string match with `*`, `?`, `[a-z]`, `[!a-z]` and `\` before a literal, also within brackets
/// (glob(7), without path rules and character classes). An unclosed bracket and a last `\` stand for
/// themselves.
class Glob {
  public:
    explicit Glob(std::string_view pattern);

    /// A character of the text costs the same whatever a bracket holds. Time is O(pattern * text) in the
    /// worst case, where the text begins to match everywhere; without recursion.
    [[nodiscard]] bool matches(std::string_view text) const noexcept;

  private:
    /// What one character of the text is held against; `star` against none or any number of them.
    struct Element {
        enum class Kind : std::uint8_t { literal, any, star, set };
        Kind kind = Kind::literal;
        char literal = 0;
        std::uint32_t set = 0;  ///< index in sets_
    };

    [[nodiscard]] bool matches_one(std::size_t element, char c) const noexcept;

    std::vector<Element> elements_;
    std::vector<std::bitset<256>> sets_;
};

/// True when the pattern can match more than one text, i.e. holds a metacharacter.
[[nodiscard]] bool is_glob(std::string_view pattern) noexcept;

}  // namespace vigil
