#include "ctl/table.hpp"

#include <algorithm>

#include "ctl/display_width.hpp"

namespace vigil::ctl {
namespace {

constexpr std::size_t kGap = 2;

std::string_view sgr(Colour colour) {
    switch (colour) {
        case Colour::none: break;
        case Colour::green: return "\033[32m";
        case Colour::yellow: return "\033[33m";
        case Colour::red: return "\033[31m";
        case Colour::blue: return "\033[34m";
        case Colour::dim: return "\033[2m";
    }
    return {};
}

class Renderer {
  public:
    Renderer(std::vector<std::size_t> widths, const TableStyle& style)
        : widths_(std::move(widths)), style_(style) {}

    void line(std::string& out, const std::vector<Cell>& cells) const {
        std::size_t column = 0;   // where the next cell begins
        std::size_t pending = 0;  // blanks that are due before it
        for (std::size_t i = 0; i < cells.size(); ++i) {
            std::string cut;
            const std::string_view text = fitting(cells[i].text, column, cut);
            const std::size_t width = display_width(text);
            if (width != 0) {
                out.append(pending, ' ');
                if (style_.colours)
                    out += coloured(text, cells[i].colour);
                else
                    out += text;
                pending = 0;
            }
            pending += widths_[i] + kGap - std::min(width, widths_[i]);
            column += widths_[i] + kGap;
        }
        out.push_back('\n');
    }

  private:
    /// `cut` holds what is given where that is not the whole text.
    [[nodiscard]] std::string_view fitting(std::string_view text, std::size_t column,
                                           std::string& cut) const {
        if (style_.width == 0) return text;
        if (column >= style_.width) return {};
        return cut = cut_to_width(text, style_.width - column);
    }

    std::vector<std::size_t> widths_;
    TableStyle style_;
};

}  // namespace

std::string coloured(std::string_view text, Colour colour) {
    const std::string_view code = sgr(colour);
    if (code.empty()) return std::string(text);
    return std::string(code).append(text).append("\033[0m");
}

std::string render_table(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows,
                         const TableStyle& style) {
    std::vector<std::size_t> widths;
    for (const std::string& title : header) widths.push_back(display_width(title));
    for (const auto& row : rows)
        for (std::size_t i = 0; i < widths.size(); ++i)
            widths[i] = std::max(widths[i], display_width(row[i].text));

    std::vector<Cell> titles;
    for (const std::string& title : header) titles.push_back({title, Colour::dim});
    const Renderer renderer(std::move(widths), style);
    std::string out;
    renderer.line(out, titles);
    for (const auto& row : rows) renderer.line(out, row);
    return out;
}

}  // namespace vigil::ctl
