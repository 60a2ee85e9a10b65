// Layer protocol. A stream of bytes cut into lines, in bounded memory. Works the same wherever the stream is
// split.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vigil::protocol {

/// The longest request line a daemon takes, without its newline.
inline constexpr std::size_t kRequestLineLimit = std::size_t{1} << 20;

/// Fed with what arrives, gives up complete lines on demand, so that a session may stop taking lines while
/// too much is in flight. Holds at most the limit and the last piece fed; gives memory back after a long
/// line.
///
///     reader.feed(bytes);
///     while (auto line = reader.next()) serve(*line);
///     if (reader.too_long()) refuse_and_close();
class LineReader {
  public:
    explicit LineReader(std::size_t limit = kRequestLineLimit) : limit_(limit) {}

    /// Without effect once too_long().
    void feed(std::string_view bytes);

    /// The next line that is not blank, without its end (LF or CRLF). Valid until the next call of feed() or
    /// next().
    [[nodiscard]] std::optional<std::string_view> next();

    /// A line longer than the limit began. The lines before it were given by next(); there is no way to go on
    /// after it, so the session answers with one error and ends.
    [[nodiscard]] bool too_long() const noexcept { return too_long_; }

    /// What was fed and not given by next() yet. Valid as long as what next() gives.
    [[nodiscard]] std::string_view pending() const noexcept {
        return std::string_view(buffer_).substr(begin_);
    }

    /// Bytes held: a whole line not yet taken, or the beginning of one.
    [[nodiscard]] std::size_t buffered() const noexcept { return buffer_.size() - begin_; }

  private:
    void release_memory();

    std::string buffer_;
    std::size_t limit_;
    std::size_t begin_ = 0;    ///< first byte not yet given
    std::size_t scanned_ = 0;  ///< no newline lies before this, so that slow bytes cost no second look
    bool too_long_ = false;
};

}  // namespace vigil::protocol
