#include "json/syntax_message.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace vigil::json {
namespace {

using Phrase = std::pair<std::string_view, std::string_view>;

/// The library's names of what it expected, and ours.
constexpr std::array<Phrase, 6> kExpected{{
    {"'[', '{', or a literal", "a value"},
    {"string literal", "a key in double quotes"},
    {"':'", "':' after the key"},
    {"']'", "',' or ']'"},
    {"'}'", "',' or '}'"},
    {"end of input", "nothing more after the value"},
}};

/// The start of the faulty token, short and fit for a terminal.
std::string shown_token(std::string_view rest) {
    constexpr std::size_t kLongest = 24;
    std::size_t end = 1;
    if (!rest.empty() && std::string_view("[]{},:").find(rest[0]) != std::string_view::npos) {
        end = 1;
    } else if (!rest.empty() && rest[0] == '"') {
        end = rest.find('"', 1);
        end = end == std::string_view::npos ? kLongest : end + 1;
    } else {
        while (end < rest.size() &&
               std::string_view(" \t\r\n,:[]{}\"").find(rest[end]) == std::string_view::npos)
            ++end;
    }
    std::string_view token = rest.substr(0, std::min(end, kLongest));
    const bool cut = end > kLongest;
    // A character is not cut in its middle.
    while (cut && !token.empty() && !is_utf8(token)) token.remove_suffix(1);
    return escape_for_display(token) + (cut ? "..." : "");
}

std::string at_end(const SyntaxFault& fault) {
    if (!fault.open.known()) return "the text ends where a value is expected";
    return std::string("the text ends here, but the '") + fault.open_bracket + "' of line " +
           std::to_string(fault.open.line) + ", column " + std::to_string(fault.open.column) +
           " is not closed";
}

std::string bad_literal(const SyntaxFault& fault) {
    const std::string token = shown_token(fault.rest);
    if (fault.rest.starts_with('\'')) return "strings stand in double quotes, not in '...'";
    if (fault.rest.starts_with('/')) return "comments are not allowed here";
    if (fault.rest.starts_with('#')) return "'#' begins no comment here; comments are // and /* */";
    if (token == "NaN" || token == "Infinity" || token == "-Infinity") return token + " is no JSON number";
    if (token == "True" || token == "False" || token == "None")
        return token + " is no JSON value; write true, false or null";
    return token + " is no JSON value; text stands in double quotes";
}

}  // namespace

std::string_view library_reason(std::string_view text) noexcept {
    constexpr std::string_view kContext = "syntax error ";
    if (const auto at = text.find(kContext); at != std::string_view::npos)
        if (const auto dash = text.find("- ", at); dash != std::string_view::npos)
            text.remove_prefix(dash + 2);
    // The lexer's own messages carry the token after this mark; it may hold anything.
    return text.substr(0, text.find("; last read: '"));
}

std::string syntax_message(const SyntaxFault& fault) {
    const std::string_view reason = library_reason(fault.library_text);
    if (reason.starts_with(kUnclosedComment)) return "this comment is not closed by */";
    if (reason.find("invalid literal") == 0 || reason.find("invalid comment") == 0) return bad_literal(fault);
    if (reason.find("unexpected") != 0) return escape_for_display(reason);
    if (fault.rest.empty()) return at_end(fault);
    if (fault.rest[0] == '\0') return "the text holds U+0000";
    const std::string found = shown_token(fault.rest);
    if (fault.separator == ',' && (found == "]" || found == "}"))
        return "the comma before '" + found + "' is one too many";
    std::string_view expected = "something else";
    if (const auto at = reason.find("; expected "); at != std::string_view::npos) {
        expected = reason.substr(at + 11);
        for (const auto& [theirs, ours] : kExpected)
            if (expected == theirs) expected = ours;
    }
    return "found " + found + ", expected " + std::string(expected);
}

}  // namespace vigil::json
