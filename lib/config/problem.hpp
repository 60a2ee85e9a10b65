// Layer config. An error of a configuration, with its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/value.hpp"

namespace vigil::config {

struct Problem {
    std::string file;   ///< as it was named to us, or a label such as "request"
    json::Place place;  ///< unknown where the file as a whole is at fault
    std::string message;
    std::string source_line;  ///< the whole line of `place`; empty where the text is not at hand

    /// "file:line:column: message", then the source line and a caret under the column where they are known.
    /// Several lines without a last newline, fit for a terminal whatever the file holds.
    [[nodiscard]] std::string text() const;
};

/// The texts of all of them, each ended by a newline.
[[nodiscard]] std::string text(const std::vector<Problem>& problems);

/// The line of `source` in which byte `offset` lies, without its end.
[[nodiscard]] std::string_view line_at(std::string_view source, std::size_t offset) noexcept;

}  // namespace vigil::config
