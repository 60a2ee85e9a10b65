#include "protocol/line_framing.hpp"

#include <algorithm>

namespace vigil::protocol {
namespace {

/// What an idle session may keep; above it the buffer of a long line is given back.
constexpr std::size_t kKeptCapacity = std::size_t{16} << 10;
constexpr std::size_t kLongLine = std::size_t{256} << 10;

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

void LineReader::feed(std::string_view bytes) {
    if (too_long_) return;
    if (begin_ != 0) {
        buffer_.erase(0, begin_);
        scanned_ -= begin_;
        begin_ = 0;
    }
    // A line that is long already is likely to be far longer: each time it moves, all its pages are new.
    const std::size_t needed = buffer_.size() + bytes.size();
    if (needed > buffer_.capacity() && needed > kLongLine)
        buffer_.reserve(std::min(4 * needed, limit_ + bytes.size()));
    buffer_.append(bytes);
}

std::optional<std::string_view> LineReader::next() {
    while (!too_long_) {
        const std::size_t end = buffer_.find('\n', scanned_);
        const std::size_t line_end = end == std::string::npos ? buffer_.size() : end;
        if (line_end - begin_ > limit_) {
            too_long_ = true;
            buffer_ = std::string();
            begin_ = scanned_ = 0;
            return std::nullopt;
        }
        if (end == std::string::npos) {
            scanned_ = buffer_.size();
            if (begin_ == buffer_.size()) release_memory();
            return std::nullopt;
        }
        std::string_view line(buffer_.data() + begin_, end - begin_);
        begin_ = scanned_ = end + 1;
        if (is_blank(line)) continue;
        if (line.back() == '\r') line.remove_suffix(1);
        return line;
    }
    return std::nullopt;
}

void LineReader::release_memory() {
    if (buffer_.capacity() > kKeptCapacity)
        buffer_ = std::string();
    else
        buffer_.clear();
    begin_ = scanned_ = 0;
}

}  // namespace vigil::protocol
