#include "ctl/table.hpp"

#include <doctest/doctest.h>

#include "ctl/display_width.hpp"

using vigil::ctl::Colour;
using vigil::ctl::cut_to_width;
using vigil::ctl::display_width;
using vigil::ctl::Table;
using vigil::ctl::TableStyle;

namespace {

struct Cell {
    std::string_view text;
    Colour colour = Colour::none;
};

std::string render_table(const std::vector<std::string_view>& titles,
                         const std::vector<std::vector<Cell>>& rows, const TableStyle& style) {
    Table table(titles);
    for (const auto& row : rows)
        for (const Cell& cell : row) table.add(cell.text, cell.colour);
    return table.render(style);
}

}  // namespace

TEST_CASE("columns are as wide as their widest cell, and no line ends in blanks") {
    CHECK(render_table({"NAME", "N"}, {{{"a"}, {"1"}}, {{"longer"}, {""}}}, {}) ==
          "NAME    N\n"
          "a       1\n"
          "longer\n");
}

TEST_CASE("nasty 52: width counts columns of the terminal, not bytes") {
    CHECK(display_width("abc") == 3);
    CHECK(display_width("é") == 1);
    CHECK(display_width("日本") == 4);
    CHECK(display_width("e\xcc\x81") == 1);
    CHECK(display_width("\xff\xfe") == 2);
    CHECK(render_table({"A", "B"}, {{{"日本"}, {"x"}}, {{"é"}, {"y"}}}, {}) == "A     B\n日本  x\né     y\n");
}

TEST_CASE("what is too long is cut between characters, with an ellipsis") {
    CHECK(cut_to_width("abcdef", 6) == "abcdef");
    CHECK(cut_to_width("abcdef", 4) == "abc…");
    CHECK(cut_to_width("日本語", 4) == "日…");
    CHECK(cut_to_width("abc", 1) == "…");
    CHECK(cut_to_width("abc", 0).empty());
    CHECK(render_table({"NAME", "DETAIL"}, {{{"a"}, {"something long"}}}, {.width = 12}) ==
          "NAME  DETAIL\na     somet…\n");
}

TEST_CASE("colour surrounds the text and takes no columns") {
    CHECK(render_table({"A", "B"}, {{{"x", Colour::red}, {"y"}}}, {.colours = true}) ==
          "\033[2mA\033[0m  \033[2mB\033[0m\n\033[31mx\033[0m  y\n");
}
