// Layer json, private to the parser. What to say about an error of syntax.
#pragma once

#include <string>
#include <string_view>

#include "json/value.hpp"

namespace vigil::json {

/// The library's reason where a block comment has no end.
inline constexpr std::string_view kUnclosedComment = "invalid comment; missing closing";
/// Its reason where a string has no end.
inline constexpr std::string_view kUnclosedString = "invalid string: missing closing quote";

struct SyntaxFault {
    std::string_view library_text;  ///< the parsing library's own sentence
    std::string_view rest;          ///< the text from the faulty token on
    char separator = 0;             ///< comma or colon just before it
    Place open;                     ///< the innermost open bracket; unknown where there is none
    char open_bracket = 0;          ///< '[' or '{'
};

/// One sentence for a person who edits a file by hand: what was found and what is expected.
[[nodiscard]] std::string syntax_message(const SyntaxFault& fault);

/// The library's reason: its sentence without the prefix of position and context and without what was last
/// read.
[[nodiscard]] std::string_view library_reason(std::string_view library_text) noexcept;

}  // namespace vigil::json
