#include "base/glob.hpp"

#include <optional>

namespace vigil {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

std::size_t place_of(char c) noexcept {
    return static_cast<unsigned char>(c);
}

/// Reads one member of a bracket at `i` and steps over it; a backslash takes the meaning from what follows.
char read_member(std::string_view pattern, std::size_t& i) noexcept {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    return pattern[i++];
}

/// The characters of the bracket that opens at `at`, which is moved behind it; nothing where it is never
/// closed.
std::optional<std::bitset<256>> read_bracket(std::string_view pattern, std::size_t& at) noexcept {
    std::size_t i = at + 1;
    const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
    if (negated) ++i;
    std::bitset<256> set;
    // A ']' right after the opening is a member of the set (POSIX 2.13.1).
    for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
        const char low = read_member(pattern, i);
        char high = low;
        if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
            ++i;
            high = read_member(pattern, i);
        }
        for (int c = low; c <= high; ++c) set.set(place_of(static_cast<char>(c)));
    }
    if (i >= pattern.size()) return std::nullopt;
    at = i + 1;
    return negated ? ~set : set;
}

}  // namespace

Glob::Glob(std::string_view pattern) {
    // Without it a million opening brackets would be as many looks for the one that closes them.
    const std::size_t last_close = pattern.rfind(']');
    for (std::size_t at = 0; at < pattern.size();) {
        const char c = pattern[at];
        if (c == '[' && last_close != kNone && at < last_close) {
            if (const auto set = read_bracket(pattern, at)) {
                elements_.push_back(
                    {.kind = Element::Kind::set, .set = static_cast<std::uint32_t>(sets_.size())});
                sets_.push_back(*set);
                continue;
            }
        }
        const bool escaped = c == '\\' && at + 1 < pattern.size();
        if (escaped) ++at;
        const auto kind = escaped    ? Element::Kind::literal
                          : c == '*' ? Element::Kind::star
                          : c == '?' ? Element::Kind::any
                                     : Element::Kind::literal;
        elements_.push_back({.kind = kind, .literal = pattern[at]});
        ++at;
    }
}

bool Glob::matches_one(std::size_t element, char c) const noexcept {
    const Element& one = elements_[element];
    if (one.kind == Element::Kind::set) return sets_[one.set].test(place_of(c));
    return one.kind == Element::Kind::any || one.literal == c;
}

bool Glob::matches(std::string_view text) const noexcept {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = kNone;  // place after the last '*' seen, to which a mismatch returns
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (p < elements_.size() && elements_[p].kind == Element::Kind::star) {
            star = ++p;
            star_text = t;
        } else if (p < elements_.size() && matches_one(p, text[t])) {
            ++p;
            ++t;
        } else if (star != kNone) {
            p = star;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < elements_.size() && elements_[p].kind == Element::Kind::star) ++p;
    return p == elements_.size();
}

bool is_glob(std::string_view pattern) noexcept {
    return pattern.find_first_of("*?[\\") != kNone;
}

}  // namespace vigil
