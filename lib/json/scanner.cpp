#include "json/scanner.hpp"

namespace vigil::json {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kDelimiters = " \t\r\n,:[]{}\"/";

}  // namespace

Place Scanner::place() const noexcept {
    return {line_, column_, static_cast<std::uint32_t>(base_ + index_)};
}

void Scanner::step() noexcept {
    const auto byte = static_cast<unsigned char>(text_[index_++]);
    if (byte == '\n') {
        ++line_;
        column_ = 1;
    } else if (index_ == text_.size() || (static_cast<unsigned char>(text_[index_]) & 0xC0U) != 0x80U) {
        // A column is a character: it ends where the next byte does not continue it.
        ++column_;
    }
}

void Scanner::move_to(std::size_t index) noexcept {
    while (index_ < index && index_ < text_.size()) step();
}

void Scanner::skip_comment(std::size_t limit) noexcept {
    const bool line = ahead("//");
    comment_ = place();
    move_to(index_ + 2);
    while (index_ < limit && index_ < text_.size()) {
        if (line && text_[index_] == '\n') return;
        if (!line && ahead("*/")) return move_to(index_ + 2);
        step();
    }
}

void Scanner::skip_between(std::size_t limit) noexcept {
    while (index_ < limit && index_ < text_.size()) {
        const char c = text_[index_];
        if (c == ',' || c == ':') {
            separator_ = c;
            step();
        } else if (kBlanks.find(c) != std::string_view::npos) {
            step();
        } else if (ahead("//") || ahead("/*")) {
            skip_comment(limit);
        } else {
            return;
        }
    }
}

void Scanner::skip_token() noexcept {
    separator_ = 0;
    if (index_ >= text_.size()) return;
    const char first = text_[index_];
    step();
    if (first == '"') {
        while (index_ < text_.size() && text_[index_] != '"') {
            if (text_[index_] == '\\') step();
            if (index_ < text_.size()) step();
        }
        move_to(index_ + 1);
    } else if (std::string_view("[]{}").find(first) == std::string_view::npos) {
        while (index_ < text_.size() && kDelimiters.find(text_[index_]) == std::string_view::npos) step();
    }
}

}  // namespace vigil::json
