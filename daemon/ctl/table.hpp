// vigilctl. Rows of text as aligned columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::ctl {

/// SGR codes (ECMA-48); `none` leaves a cell as the terminal shows text by itself.
enum class Colour : unsigned char { none, green, yellow, red, blue, dim };

[[nodiscard]] std::string coloured(std::string_view text, Colour colour);

struct TableStyle {
    bool colours = false;
    std::size_t width = 0;  ///< columns to fit into by cutting the last cells; 0: no limit
};

/// A header and rows of as many cells. Columns are separated by two blanks and as wide as their widest cell;
/// the last one takes what is left and is cut. Each line ends with a newline and has no blanks before it.
class Table {
  public:
    /// At least one.
    explicit Table(std::span<const std::string_view> titles);

    /// The next cell, row by row: one line without control characters.
    void add(std::string_view text, Colour colour = Colour::none);
    /// Of whole rows.
    [[nodiscard]] std::string render(const TableStyle& style) const;

  private:
    /// Of thousands of cells: their text lies in one piece.
    struct Cell {
        std::uint32_t size;
        std::uint32_t width;
        Colour colour;
    };
    void append_row(std::string& out, const Cell* cells, const char*& text, const TableStyle& style) const;

    std::string text_;
    std::vector<Cell> cells_;
    std::vector<std::size_t> widths_;
};

}  // namespace vigil::ctl
