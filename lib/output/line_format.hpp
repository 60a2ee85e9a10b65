// Layer output. Lines with a time and a name. Pure: no clock, no descriptor.
//
//   timestamp  2026-03-01T12:00:00.250Z text
//   prefix     2026-03-01T12:00:00.250Z api[4711] out: text
//   json       {"time":"2026-03-01T12:00:00.250Z","task":"api","pid":4711,"stream":"out","text":"text"}
//
// A line that is written before it ended, or that is longer than kMostLineBytes, is continued in the next
// one: it ends with " \" in the first two, and has "partial":true before "text" in the third. Text goes into
// the first two as it came, whatever bytes those are; into the third as json::append_quoted() has it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/spec.hpp"

namespace vigil::output {

/// A piece of what a task printed that makes one line of a log.
struct Piece {
    std::string_view text;     ///< without its newline
    std::size_t consumed = 0;  ///< bytes of the input, the newline included
    bool partial = false;      ///< the line goes on after it
};

/// What may become of a line at the end of the input that has not ended yet.
enum class Unended : std::uint8_t {
    wait,    ///< leave it where it is
    partly,  ///< write what there is, as a partial line
    whole,   ///< nothing can follow: it is a line
};

/// The first piece of `input`; nothing where more input is needed. A piece is at most kMostLineBytes long and
/// a UTF-8 sequence is not cut in two.
[[nodiscard]] std::optional<Piece> next_piece(std::string_view input, Unended unended) noexcept;

/// Who prints.
struct Speaker {
    std::string_view task;
    pid_t pid = 0;
    std::string_view stream;  ///< "out", "err"; "vigil" for what the daemon itself has to say in a log
};

/// Appends one line with its newline. `format` is not raw; `time` as from time_text(), which costs more than
/// all the rest and is the same for many lines.
void append_line(std::string& out, core::OutputFormat format, const Speaker& speaker, std::string_view time,
                 const Piece& piece);

/// The wall clock, in milliseconds since 1970.
[[nodiscard]] std::int64_t wall_now();

/// "2026-03-01T12:00:00.250Z"; `at` in milliseconds since 1970.
[[nodiscard]] std::string time_text(std::int64_t at);

/// What a task had printed, from a line made by append_line() without its newline; a line that was not, as it
/// is.
[[nodiscard]] std::string text_of(std::string_view line, core::OutputFormat format);

}  // namespace vigil::output
