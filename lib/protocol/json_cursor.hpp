// Layer protocol. Reads JSON text in one pass, straight into the fields of a struct: what a client reads a
// daemon's answers with. The status of 10,000 tasks is seven megabytes; building a tree of it first took
// longer than all the rest of `vigilctl status` together. Requests, which come from strangers, go through
// json::parse instead.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vigil::protocol {

/// Walks one JSON value from front to back. The first violation (bad syntax, a type that was not asked for, a
/// number out of range) is kept in error(), and from then on nothing is given any more; so a caller may read
/// on and look once at the end. Never reads beyond the text, never recurses.
///
///     JsonCursor in(text);
///     if (in.enter_object())
///         while (auto key = in.next_member()) { if (*key == "pid") in.read(pid); else (void)in.skip(); }
class JsonCursor {
  public:
    explicit JsonCursor(std::string_view text) noexcept
        : at_(text.data()), end_(text.data() + text.size()), begin_(text.data()) {}

    [[nodiscard]] bool ok() const noexcept { return error_ == nullptr; }
    /// "an integer was expected at byte 17"; empty while ok().
    [[nodiscard]] std::string error() const;

    /// Steps over the opening bracket; a violation if the value is of another type.
    bool enter_object();
    bool enter_array();
    /// The key of the next member, whose value is to be read or skipped next; nothing at the object's end. A
    /// view of the text: a key with an escape in it is given as it is written, and matches no key we know.
    [[nodiscard]] std::optional<std::string_view> next_member();
    /// True when an element follows, which is to be read or skipped next.
    [[nodiscard]] bool next_element();

    /// Steps over a null; false, and no violation, where another value stands.
    [[nodiscard]] bool take_null();
    [[nodiscard]] bool next_is_object() noexcept;

    void read(bool& to);
    void read(std::string& to);
    template <std::integral T>
    requires(!std::same_as<T, bool>) void read(T& to) {
        std::int64_t number = 0;
        if (!read_integer(number)) return;
        if (std::in_range<T>(number))
            to = static_cast<T>(number);
        else
            fail("a smaller number");
    }
    void read(std::chrono::milliseconds& to) {
        std::int64_t count = 0;
        if (read_integer(count)) to = std::chrono::milliseconds(count);
    }
    /// Nothing for null.
    template <typename T>
    void read(std::optional<T>& to) {
        if (take_null()) {
            to.reset();
            return;
        }
        T value{};
        read(value);
        if (ok()) to = std::move(value);
    }

    /// Steps over one value of any type; its text.
    std::string_view skip();
    /// Nothing but blanks may follow; a violation otherwise.
    void expect_end();
    /// Marks a violation: `expected` is what should have stood here. Static storage.
    void fail(const char* expected) noexcept;

  private:
    /// The next character that is no blank; NUL at the end. Inline, like take(): they run for every token.
    [[nodiscard]] char peek() noexcept {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
        return at_ == end_ ? '\0' : *at_;
    }
    bool take(char c) noexcept {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    bool read_integer(std::int64_t& to);
    /// The raw text between the quotes.
    [[nodiscard]] std::string_view string_token(bool& escaped);
    [[nodiscard]] bool separated(char closing) noexcept;

    const char* at_;
    const char* end_;
    const char* begin_;
    const char* error_ = nullptr;
    const char* error_at_ = nullptr;
    bool first_ = false;  ///< a bracket was just entered: no comma is due
};

/// A member of T's JSON object and how to read it.
template <typename T>
struct Field {
    std::string_view name;
    void (*read)(JsonCursor&, T&);
};

/// Reads an object into `to`; unknown members are skipped, so that an older client reads a newer daemon.
template <typename T>
void read_object(JsonCursor& in, T& to, std::span<const Field<T>> fields) {
    if (!in.enter_object()) return;
    // Members come in the order of the table as a rule: the search begins where the last one ended.
    std::size_t expected = 0;
    while (const auto key = in.next_member()) {
        std::size_t tried = 0;
        while (tried < fields.size() && fields[expected].name != *key) {
            expected = (expected + 1) % fields.size();
            ++tried;
        }
        if (tried == fields.size()) {
            (void)in.skip();
            continue;
        }
        fields[expected].read(in, to);
        expected = (expected + 1) % fields.size();
    }
}

}  // namespace vigil::protocol
