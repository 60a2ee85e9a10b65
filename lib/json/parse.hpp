// Layer json. The one way in which JSON text enters the product: configuration files and control lines alike.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "json/value.hpp"

namespace vigil::json {

/// What bounds a text from a stranger. The defaults suit one line of the control socket.
struct Limits {
    std::size_t max_bytes = std::size_t{1} << 20U;
    /// Open brackets at one place. The parser itself does not recurse; what walks the tree afterwards may.
    std::size_t max_depth = 32;
    /// Values in all, members and elements included. A value costs up to about 110 bytes of memory and as
    /// little as 2 bytes of text, so max_bytes alone does not bound memory.
    std::size_t max_values = 100'000;
    bool allow_comments = false;  ///< `//` to the end of the line and `/* */`
};

struct Problem {
    Place place;
    std::string message;  ///< one line, no full stop, fit for a terminal
};

struct Document {
    Value root;
};

struct Reading {
    /// The tree, wherever the text was read to its end. Of a key that appears twice the first is kept, and a
    /// number that does not fit is a real.
    std::optional<Value> root;
    std::vector<Problem> problems;  ///< in order of place
    /// Of an object that is broken somewhere: the members that were read whole before. Nothing where `root`
    /// is.
    std::optional<Value> beginning{};
};

/// As parse(), for readers that have more to say about a tree in which something is wrong already.
[[nodiscard]] Reading read_leniently(std::string_view text, const Limits& limits = {});

/// Reads one JSON text (RFC 8259, UTF-8, a leading byte order mark is skipped). Refused beyond the grammar:
/// keys that appear twice in one object, integers beyond 64 bits, reals beyond a double, anything after the
/// value, and whatever exceeds `limits`. "-0" is the integer 0; "1.0" and "1e3" are reals. U+0000 in strings
/// is kept. On failure gives at least one problem, in order of place: all duplicate keys and numbers out of
/// range, and the first error of syntax or limits, which ends the reading.
[[nodiscard]] Result<Document, std::vector<Problem>> parse(std::string_view text, const Limits& limits = {});

}  // namespace vigil::json
