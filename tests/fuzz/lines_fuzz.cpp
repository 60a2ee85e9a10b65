// Any bytes as what a task prints: cut into pieces, written as lines of every format, read back. Nothing is
// lost or invented, whatever the bytes are; the last words of a run are lines of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "json/parse.hpp"
#include "output/collector.hpp"
#include "output/last_words.hpp"
#include "output/line_format.hpp"

namespace {

using namespace vigil;
using namespace vigil::output;
using core::OutputFormat;

void check(bool holds) {
    if (!holds) std::abort();
}

std::string text_again(const Piece& piece, OutputFormat format, std::string_view time) {
    std::string line;
    append_line(line, format, {"api", 4711, "out"}, time, piece);
    check(line.ends_with('\n'));
    line.pop_back();
    if (format == OutputFormat::json) check(json::parse(line).ok());
    return text_of(line, format);
}

/// Gives the log in this format.
std::string write(std::string_view input, Unended unended, OutputFormat format, std::string_view time) {
    std::string log;
    std::string read;
    std::string_view rest = input;
    while (const auto piece = next_piece(rest, unended)) {
        check(piece->consumed > 0 && piece->consumed <= rest.size() && piece->text.size() <= kMostLineBytes);
        check(piece->text == rest.substr(0, piece->text.size()));
        check(piece->text.find('\n') == std::string_view::npos);
        append_line(log, format, {"api", 4711, "out"}, time, *piece);
        std::string text = text_again(*piece, format, time);
        // JSON has a replacement character for each byte that is not UTF-8, and a member for what the others
        // say by the end of the line.
        if (format != OutputFormat::json)
            check(text == std::string(piece->text) + (piece->partial ? " \\" : ""));
        if (format == OutputFormat::json && is_utf8(piece->text)) check(text == piece->text);
        rest.remove_prefix(piece->consumed);
    }
    // What waits for more is the beginning of one line.
    check(rest.empty() || (unended == Unended::wait && rest.size() <= kMostLineBytes &&
                           rest.find('\n') == std::string_view::npos));
    return log;
}

void check_last_words(std::string_view log, OutputFormat format) {
    for (const bool within : {false, true}) {
        const auto lines = last_lines(log, format, within);
        check(lines.size() <= kLastLines && (log.empty() || !lines.empty()));
        for (const std::string& line : lines)
            check(line.size() <= kLastLineBytes && line.find('\n') == std::string::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view given(reinterpret_cast<const char*>(data + 2), size - 2);
    // Lines that are too long are out of a fuzzer's reach otherwise; they are slow, and one in thirty is
    // enough.
    std::string input(given);
    const bool is_long = data[0] >= 248 && !given.empty();
    while (is_long && input.size() <= kMostLineBytes) input += given;
    const auto unended = static_cast<Unended>(data[1] % 3);
    const std::string time = time_text((static_cast<std::int64_t>(data[1]) - 64) * 100'000'000'001);
    check(time.size() == 24);
    for (const OutputFormat format : {OutputFormat::timestamp, OutputFormat::prefix, OutputFormat::json})
        check_last_words(write(input, unended, format, time), format);
    check_last_words(input, OutputFormat::raw);
    // A line of another origin has a text, too, and does not become longer.
    for (const OutputFormat format : {OutputFormat::timestamp, OutputFormat::prefix, OutputFormat::json})
        check(text_of(given, format).size() <= given.size());
    return 0;
}
