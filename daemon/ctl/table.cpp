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

void append_coloured(std::string& out, std::string_view text, Colour colour) {
    const std::string_view code = sgr(colour);
    out.append(code).append(text);
    if (!code.empty()) out.append("\033[0m");
}

}  // namespace

std::string coloured(std::string_view text, Colour colour) {
    std::string out;
    append_coloured(out, text, colour);
    return out;
}

Table::Table(std::span<const std::string_view> titles) : widths_(titles.size()) {
    for (const std::string_view title : titles) add(title, Colour::dim);
}

void Table::add(std::string_view text, Colour colour) {
    const std::size_t width = display_width(text);
    std::size_t& widest = widths_[cells_.size() % widths_.size()];
    widest = std::max(widest, width);
    text_.append(text);
    cells_.push_back({static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(width), colour});
}

void Table::append_row(std::string& out, const Cell* cells, const char*& text,
                       const TableStyle& style) const {
    std::size_t column = 0;   // where the next cell begins
    std::size_t pending = 0;  // blanks that are due before it
    for (std::size_t i = 0; i < widths_.size(); ++i) {
        std::string_view shown(text, cells[i].size);
        std::size_t width = cells[i].width;
        text += cells[i].size;
        std::string cut;
        if (style.width != 0 && column + width > style.width) {
            if (column < style.width) cut = cut_to_width(shown, style.width - column);
            shown = cut;
            width = display_width(cut);
        }
        if (width != 0) {
            out.append(pending, ' ');
            append_coloured(out, shown, style.colours ? cells[i].colour : Colour::none);
            pending = 0;
        }
        pending += widths_[i] + kGap - std::min(width, widths_[i]);
        column += widths_[i] + kGap;
    }
    out.push_back('\n');
}

std::string Table::render(const TableStyle& style) const {
    std::string out;
    out.reserve(text_.size() + cells_.size() * 8);
    const char* text = text_.data();
    for (std::size_t at = 0; at + widths_.size() <= cells_.size(); at += widths_.size())
        append_row(out, &cells_[at], text, style);
    return out;
}

}  // namespace vigil::ctl
