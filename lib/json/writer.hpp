// Layer json. JSON text out: appends to a string that the caller owns, and allocates nothing else.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.hpp"

namespace vigil::json {

/// Appends `text` as a quoted JSON string, the one place where escaping is decided: control characters (C0,
/// DEL and C1) become \uXXXX, bytes that are not UTF-8 become U+FFFD, everything else stays. The result is
/// one line and harmless on a terminal.
void append_quoted(std::string& out, std::string_view text);

enum class Style : std::uint8_t {
    compact,  ///< no blanks at all: one line
    pretty,   ///< two blanks a level, `"key": value`, one member or element a line
};

/// Writes one JSON text, value by value, onto the end of `out`, which must outlive it. Commas and colons come
/// by themselves. Calls that do not make JSON (a value without a key in an object, an end without its
/// beginning, more than 64 levels) are bugs of the caller and abort.
class Writer {
  public:
    explicit Writer(std::string& out, Style style = Style::compact) noexcept : out_(out), style_(style) {}

    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    Writer& key(std::string_view name);

    Writer& null();
    Writer& value(std::nullptr_t) { return null(); }
    Writer& value(bool flag);
    Writer& value(std::string_view text);
    Writer& value(const std::string& text) { return value(std::string_view(text)); }
    Writer& value(const char* text) { return value(std::string_view(text)); }
    /// Shortest form that reads back exactly, always with a point or an exponent; null where it is not
    /// finite.
    Writer& value(double number);
    template <std::integral T>
    requires(!std::same_as<T, bool>) Writer& value(T number) {
        if constexpr (std::signed_integral<T>)
            return integer(static_cast<std::int64_t>(number));
        else
            return unsigned_integer(static_cast<std::uint64_t>(number));
    }
    /// null for nothing.
    template <typename T>
    Writer& value(const std::optional<T>& maybe) {
        return maybe ? value(*maybe) : null();
    }
    Writer& value(const Value& tree);

    /// key(name).value(what)
    template <typename T>
    Writer& member(std::string_view name, const T& what) {
        return key(name).value(what);
    }

    /// Appends a text that is one whole JSON value already, as it is.
    Writer& raw(std::string_view json);

    /// True when everything begun is ended and there is a value.
    [[nodiscard]] bool complete() const noexcept { return depth_ == 0 && !first_[0]; }

  private:
    Writer& integer(std::int64_t number);
    Writer& unsigned_integer(std::uint64_t number);
    void before_value();
    void begin(char bracket, bool object);
    void end(char bracket, bool object);
    void new_line();

    static constexpr unsigned kMaxDepth = 64;
    std::string& out_;
    Style style_;
    unsigned depth_ = 0;
    bool after_key_ = false;
    bool first_[kMaxDepth + 1] = {true};  // by depth: nothing written at this level yet
    bool object_[kMaxDepth + 1] = {};     // by depth: an object rather than an array
};

/// The tree as text.
[[nodiscard]] std::string to_text(const Value& tree, Style style = Style::compact);

}  // namespace vigil::json
