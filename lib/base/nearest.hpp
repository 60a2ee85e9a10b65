// Layer base. "Did you mean": the known word that is closest to a misspelt one.
#pragma once

#include <span>
#include <string_view>

namespace vigil {

/// The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours; letter case is
/// free); empty when none is within a third of the word's length, at least 1. First one wins a tie.
[[nodiscard]] std::string_view nearest_word(std::string_view word,
                                            std::span<const std::string_view> candidates);

}  // namespace vigil
