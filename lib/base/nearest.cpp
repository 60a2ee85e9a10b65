#include "base/nearest.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace vigil {
namespace {

char lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

/// Optimal string alignment distance (Damerau-Levenshtein without repeated edits of one substring).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> previous(b.size() + 1);
    std::vector<std::size_t> current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                current[j] = std::min(current[j], before[j - 2] + 1);
        }
        std::swap(before, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
    // A word far longer than any key is no misspelling of one, and would cost time in proportion.
    if (word.empty() || word.size() > 64) return {};
    std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string_view nearest;
    for (std::string_view candidate : candidates) {
        const std::size_t d = distance(word, candidate);
        // Of two at the same distance the one of the same length: a letter is mistyped more often than left
        // out.
        if (d < best || (d == best && !nearest.empty() && candidate.size() == word.size() &&
                         nearest.size() != word.size())) {
            best = d;
            nearest = candidate;
        }
    }
    return nearest;
}

}  // namespace vigil
