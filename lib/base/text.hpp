// Layer base. Text from strangers made fit for a terminal or a log line.
#pragma once

#include <string>
#include <string_view>

namespace vigil {

/// Escapes C0 controls but tab, DEL, C1 controls and bytes that are not UTF-8 as \xNN (newline as \n,
/// carriage return as \r), so that no shown text can move the cursor, forge a log line or break an encoder.
/// The backslash itself stays as it is: the result is for eyes, not for parsing.
[[nodiscard]] std::string escape_for_display(std::string_view raw);

/// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Length in bytes of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none.
[[nodiscard]] std::size_t utf8_sequence_length(std::string_view text) noexcept;

}  // namespace vigil
