#include "config/problem.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace vigil::config {
namespace {

/// A longer line is shown as a window around the column.
constexpr std::size_t kShownBytes = 120;

/// Length in bytes of the first `count` characters of `line`.
std::size_t bytes_of_characters(std::string_view line, std::size_t count) noexcept {
    std::size_t at = 0;
    while (count > 0 && at < line.size()) {
        at += std::max<std::size_t>(1, utf8_sequence_length(line.substr(at)));
        --count;
    }
    return std::min(at, line.size());
}

std::size_t characters(std::string_view text) noexcept {
    std::size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(std::max<std::size_t>(1, utf8_sequence_length(text)));
    return count;
}

/// The source line and, below it, a caret under `column`; blanks before the caret copy the tabs of the line.
std::string excerpt(std::string_view line, std::size_t column) {
    const std::size_t caret = bytes_of_characters(line, column == 0 ? 0 : column - 1);
    std::size_t begin = 0;
    if (line.size() > kShownBytes && caret > kShownBytes / 2)
        begin = bytes_of_characters(line, characters(line.substr(0, caret - kShownBytes / 2)));
    const std::size_t length =
        bytes_of_characters(line.substr(begin), characters(line.substr(begin, kShownBytes)));
    const std::string head = escape_for_display(line.substr(begin, caret - begin));
    const std::string tail =
        escape_for_display(line.substr(caret, begin + length - std::min(begin + length, caret)));
    std::string out = begin > 0 ? "..." : "";
    const std::size_t lead = out.size();
    out += head + tail + (begin + length < line.size() ? "..." : "") + "\n" + std::string(lead, ' ');
    std::string_view rest = head;
    while (!rest.empty()) {
        out.push_back(rest[0] == '\t' ? '\t' : ' ');
        rest.remove_prefix(std::max<std::size_t>(1, utf8_sequence_length(rest)));
    }
    return out + '^';
}

}  // namespace

std::string Problem::text() const {
    std::string out = escape_for_display(file);
    if (place.known()) out += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
    out += ": " + escape_for_display(message);
    if (place.known() && !source_line.empty()) out += "\n" + excerpt(source_line, place.column);
    return out;
}

std::string text(const std::vector<Problem>& problems) {
    std::string out;
    for (const Problem& problem : problems) out += problem.text() + "\n";
    return out;
}

std::string_view line_at(std::string_view source, std::size_t offset) noexcept {
    offset = std::min(offset, source.size());
    const std::size_t before = offset == 0 ? std::string_view::npos : source.rfind('\n', offset - 1);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    std::string_view line = source.substr(begin, std::min(source.find('\n', offset), source.size()) - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace vigil::config
