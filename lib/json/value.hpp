// Layer json. A parsed JSON text as a tree whose every value knows its place.
// Nothing of the parsing library shows here: this tree is all that other layers see of JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vigil::json {

/// Where a token begins. `column` counts characters, `offset` bytes; line 0 means "no place".
struct Place {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::uint32_t offset = 0;

    [[nodiscard]] bool known() const noexcept { return line != 0; }
    bool operator==(const Place&) const = default;
};

enum class Type : std::uint8_t { null, boolean, integer, real, string, array, object };

/// "an integer", "an object": for messages that say what was found.
[[nodiscard]] std::string_view type_name(Type type) noexcept;

class Value;
struct Member;
using Array = std::vector<Value>;
/// Members in the order written. The parser never lets a key appear twice.
using Object = std::vector<Member>;

/// A value of the tree. Getters give a pointer (or optional) that is empty when the value has another type:
/// no conversion ever happens, so 1.0 is no integer and 1 no boolean. The one exception is as_number, where
/// an integer is a number too. Depth is bounded by the parser, so copying and destroying may recurse.
class Value {
  public:
    // Defined out of line, where Member is complete.
    Value() noexcept;
    explicit Value(bool value) noexcept;
    explicit Value(std::int64_t value) noexcept;
    explicit Value(std::uint64_t value) noexcept;
    explicit Value(double value) noexcept;
    explicit Value(std::string value) noexcept;
    explicit Value(Array value) noexcept;
    explicit Value(Object value) noexcept;
    /// A literal would otherwise turn into a bool.
    explicit Value(const char*) = delete;
    Value(const Value& other);
    Value(Value&& other) noexcept;
    Value& operator=(const Value& other);
    Value& operator=(Value&& other) noexcept;
    ~Value();

    [[nodiscard]] Type type() const noexcept;
    [[nodiscard]] bool is_null() const noexcept { return type() == Type::null; }

    [[nodiscard]] const bool* as_bool() const noexcept;
    /// Integers only, and only those that fit.
    [[nodiscard]] std::optional<std::int64_t> as_int64() const noexcept;
    [[nodiscard]] std::optional<std::uint64_t> as_uint64() const noexcept;
    /// A real or an integer; integers beyond 2^53 are rounded.
    [[nodiscard]] std::optional<double> as_number() const noexcept;
    [[nodiscard]] const std::string* as_string() const noexcept;
    [[nodiscard]] const Array* as_array() const noexcept;
    [[nodiscard]] const Object* as_object() const noexcept;
    [[nodiscard]] Array* as_array() noexcept;
    [[nodiscard]] Object* as_object() noexcept;

    /// The member of that name; null when there is none or this is no object. Linear in the number of
    /// members.
    [[nodiscard]] const Value* find(std::string_view key) const noexcept;
    [[nodiscard]] Value* find(std::string_view key) noexcept;

    Place place;  ///< of the first character; unknown for a value that was not parsed

  private:
    // Integers are signed where they fit, so that one number has one representation; only values
    // beyond 2^63-1 are unsigned.
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> data_;
};

struct Member {
    std::string key;
    Place place;  ///< of the key
    Value value;
};

/// True when the string holds U+0000, which no path, argument or name can carry.
[[nodiscard]] inline bool has_nul(std::string_view text) noexcept {
    return text.find('\0') != std::string_view::npos;
}

}  // namespace vigil::json
