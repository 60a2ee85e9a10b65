#include "ctl/display_width.hpp"

#include <locale.h>
#include <wchar.h>

#include <cstdint>

#include "base/text.hpp"

namespace vigil::ctl {
namespace {

constexpr std::string_view kEllipsis = "…";

/// wcwidth(3) answers by the locale of the thread; under "C" it knows ASCII only.
class Utf8Locale {
  public:
    Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (locale_ != nullptr) before_ = ::uselocale(locale_);
    }
    ~Utf8Locale() {
        if (locale_ == nullptr) return;
        ::uselocale(before_);
        ::freelocale(locale_);
    }
    Utf8Locale(const Utf8Locale&) = delete;
    Utf8Locale& operator=(const Utf8Locale&) = delete;

  private:
    locale_t locale_;
    locale_t before_ = nullptr;
};

wchar_t decode(std::string_view sequence) {
    auto lead = static_cast<unsigned char>(sequence.front());
    if (sequence.size() == 1) return lead;
    std::uint32_t value = lead & (0x7FU >> sequence.size());
    for (const char c : sequence.substr(1)) value = value << 6U | (static_cast<unsigned char>(c) & 0x3FU);
    return static_cast<wchar_t>(value);
}

/// The first character of `text` (not empty): its bytes and columns.
struct Character {
    std::size_t bytes;
    std::size_t columns;
};
Character first_character(std::string_view text) {
    const std::size_t bytes = utf8_sequence_length(text);
    if (bytes <= 1) return {1, 1};
    const int columns = ::wcwidth(decode(text.substr(0, bytes)));
    return {bytes, columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

bool is_ascii(std::string_view text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) >= 0x80U) return false;
    return true;
}

}  // namespace

std::size_t display_width(std::string_view text) {
    if (is_ascii(text)) return text.size();
    const Utf8Locale locale;
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character character = first_character(text);
        columns += character.columns;
        text.remove_prefix(character.bytes);
    }
    return columns;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string(text);
    if (columns == 0) return {};
    const Utf8Locale locale;
    std::size_t kept = 0;
    std::size_t used = 1;  // the ellipsis
    while (kept < text.size()) {
        const Character character = first_character(text.substr(kept));
        if (used + character.columns > columns) break;
        used += character.columns;
        kept += character.bytes;
    }
    return std::string(text.substr(0, kept)).append(kEllipsis);
}

}  // namespace vigil::ctl
