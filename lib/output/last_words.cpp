#include "output/last_words.hpp"

#include <algorithm>
#include <iterator>

#include "output/line_format.hpp"

namespace vigil::output {

std::vector<std::string> last_lines(std::string_view text, core::OutputFormat format, bool begins_within) {
    std::vector<std::string> lines;
    if (text.ends_with('\n'))
        text.remove_suffix(1);
    else if (text.empty())
        return lines;
    while (lines.size() < kLastLines) {
        const std::size_t before = text.rfind('\n');
        const bool first = before == std::string_view::npos;
        // The one line that is there is better than none.
        if (first && begins_within && !lines.empty()) break;
        std::string line = text_of(first ? text : text.substr(before + 1), format);
        line.resize(std::min(line.size(), kLastLineBytes));
        lines.push_back(std::move(line));
        if (first) break;
        text = text.substr(0, before);
    }
    std::reverse(lines.begin(), lines.end());
    return lines;
}

std::vector<std::string> join_last_lines(std::vector<std::string> out, std::vector<std::string> err) {
    out.insert(out.end(), std::make_move_iterator(err.begin()), std::make_move_iterator(err.end()));
    if (out.size() > kLastLines) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(kLastLines));
    return out;
}

}  // namespace vigil::output
