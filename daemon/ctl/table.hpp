// vigilctl. Rows of text as aligned columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::ctl {

/// SGR codes (ECMA-48); `none` leaves a cell as the terminal shows text by itself.
enum class Colour : unsigned char { none, green, yellow, red, blue, dim };

[[nodiscard]] std::string coloured(std::string_view text, Colour colour);

struct Cell {
    std::string text;  ///< one line, no control characters
    Colour colour = Colour::none;
};

struct TableStyle {
    bool colours = false;
    std::size_t width = 0;  ///< columns to fit into by cutting the last cells; 0: no limit
};

/// A header and rows of as many cells. Columns are separated by two blanks and as wide as their widest cell;
/// the last one takes what is left and is cut. Each line ends with a newline and has no blanks before it.
[[nodiscard]] std::string render_table(const std::vector<std::string>& header,
                                       const std::vector<std::vector<Cell>>& rows, const TableStyle& style);

}  // namespace vigil::ctl
