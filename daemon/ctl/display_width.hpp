// vigilctl. How many columns of a terminal a text takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vigil::ctl {

/// Columns of UTF-8 text without control characters: 2 for wide characters, 0 for combining ones. Bytes that
/// are not UTF-8 count 1 each.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// `text`, or its beginning and an ellipsis, so that it takes at most `columns`.
[[nodiscard]] std::string cut_to_width(std::string_view text, std::size_t columns);

}  // namespace vigil::ctl
