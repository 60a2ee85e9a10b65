// Layer json, private to the parser. Walks the text in lockstep with the events of the parsing library, which
// tell what was read but not where. Only texts that the library has accepted so far are walked, so this
// scanner finds token borders and checks nothing.
#pragma once

#include <cstddef>
#include <string_view>

#include "json/value.hpp"

namespace vigil::json {

class Scanner {
  public:
    /// `base` is added to every offset: what was cut off before `text`.
    Scanner(std::string_view text, std::size_t base) noexcept : text_(text), base_(base) {}

    /// Moves over blanks, commas, colons and comments to the start of the next token, but not past byte
    /// `limit`.
    void skip_between(std::size_t limit) noexcept;
    /// Moves over the token that starts here.
    void skip_token() noexcept;
    /// Moves forward to byte `index`.
    void move_to(std::size_t index) noexcept;

    [[nodiscard]] Place place() const noexcept;
    [[nodiscard]] std::size_t index() const noexcept { return index_; }
    /// What is left of the text.
    [[nodiscard]] std::string_view rest() const noexcept { return text_.substr(index_); }
    /// The last comma or colon that skip_between went over since the last token; 0 for none.
    [[nodiscard]] char separator() const noexcept { return separator_; }
    /// Where the last comment began.
    [[nodiscard]] Place comment() const noexcept { return comment_; }

  private:
    void step() noexcept;
    [[nodiscard]] bool ahead(std::string_view word) const noexcept { return rest().starts_with(word); }
    void skip_comment(std::size_t limit) noexcept;

    std::string_view text_;
    std::size_t base_;
    std::size_t index_ = 0;
    std::uint32_t line_ = 1;
    std::uint32_t column_ = 1;
    char separator_ = 0;
    Place comment_;
};

}  // namespace vigil::json
