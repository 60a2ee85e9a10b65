#include "base/glob.hpp"

namespace vigil {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

/// Reads one member of a bracket at `i` and steps over it; a backslash takes the meaning from what follows.
char read_member(std::string_view pattern, std::size_t& i) noexcept {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    return pattern[i++];
}

/// Matches one character against the bracket that opens at `at`; gives the place after the bracket, kNone
/// where the character is not in it, or `at` itself where it is never closed.
std::size_t match_bracket(std::string_view pattern, std::size_t at, char c) noexcept {
    std::size_t i = at + 1;
    const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
    if (negated) ++i;
    bool hit = false;
    // A ']' right after the opening is a member of the set (POSIX 2.13.1).
    for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
        const char low = read_member(pattern, i);
        char high = low;
        if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
            ++i;
            high = read_member(pattern, i);
        }
        hit = hit || (low <= c && c <= high);
    }
    if (i >= pattern.size()) return at;
    return hit != negated ? i + 1 : kNone;
}

/// Matches one character against the element at `at`; gives the place after the element, or kNone.
std::size_t match_one(std::string_view pattern, std::size_t at, char c) noexcept {
    const char element = pattern[at];
    if (element == '?') return at + 1;
    if (element == '\\' && at + 1 < pattern.size()) return pattern[at + 1] == c ? at + 2 : kNone;
    if (element == '[') {
        const std::size_t next = match_bracket(pattern, at, c);
        if (next != at) return next;
    }
    return element == c ? at + 1 : kNone;
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) noexcept {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = kNone;  // place after the last '*' seen, to which a mismatch returns
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            star_text = t;
            continue;
        }
        const std::size_t next = p < pattern.size() ? match_one(pattern, p, text[t]) : kNone;
        if (next != kNone) {
            p = next;
            ++t;
        } else if (star != kNone) {
            p = star;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool is_glob(std::string_view pattern) noexcept {
    return pattern.find_first_of("*?[\\") != kNone;
}

}  // namespace vigil
