#include "json/value.hpp"

#include <limits>

namespace vigil::json {

std::string_view type_name(Type type) noexcept {
    switch (type) {
        case Type::null: return "null";
        case Type::boolean: return "a boolean";
        case Type::integer: return "an integer";
        case Type::real: return "a number";
        case Type::string: return "a string";
        case Type::array: return "an array";
        case Type::object: return "an object";
    }
    return "a value";
}

Value::Value() noexcept = default;
Value::Value(bool value) noexcept : data_(value) {}
Value::Value(std::int64_t value) noexcept : data_(value) {}
Value::Value(double value) noexcept : data_(value) {}
Value::Value(std::string value) noexcept : data_(std::move(value)) {}
Value::Value(Array value) noexcept : data_(std::move(value)) {}
Value::Value(Object value) noexcept : data_(std::move(value)) {}
Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(const Value& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;

Value::Value(std::uint64_t value) noexcept {
    if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        data_ = static_cast<std::int64_t>(value);
    else
        data_ = value;
}

Type Value::type() const noexcept {
    // In the order of the variant; signed and unsigned integers are one type to everyone else.
    constexpr Type kTypes[] = {Type::null, Type::boolean, Type::integer, Type::integer,
                               Type::real, Type::string,  Type::array,   Type::object};
    static_assert(std::variant_size_v<decltype(data_)> == std::size(kTypes));
    return kTypes[data_.index()];
}

const bool* Value::as_bool() const noexcept {
    return std::get_if<bool>(&data_);
}

std::optional<std::int64_t> Value::as_int64() const noexcept {
    if (const auto* number = std::get_if<std::int64_t>(&data_)) return *number;
    return std::nullopt;
}

std::optional<std::uint64_t> Value::as_uint64() const noexcept {
    if (const auto* number = std::get_if<std::uint64_t>(&data_)) return *number;
    const auto* number = std::get_if<std::int64_t>(&data_);
    if (number != nullptr && *number >= 0) return static_cast<std::uint64_t>(*number);
    return std::nullopt;
}

std::optional<double> Value::as_number() const noexcept {
    if (const auto* number = std::get_if<double>(&data_)) return *number;
    if (const auto* number = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*number);
    if (const auto* number = std::get_if<std::uint64_t>(&data_)) return static_cast<double>(*number);
    return std::nullopt;
}

const std::string* Value::as_string() const noexcept {
    return std::get_if<std::string>(&data_);
}

const Array* Value::as_array() const noexcept {
    return std::get_if<Array>(&data_);
}

const Object* Value::as_object() const noexcept {
    return std::get_if<Object>(&data_);
}

Array* Value::as_array() noexcept {
    return std::get_if<Array>(&data_);
}

Object* Value::as_object() noexcept {
    return std::get_if<Object>(&data_);
}

const Value* Value::find(std::string_view key) const noexcept {
    if (const Object* members = as_object())
        for (const Member& member : *members)
            if (member.key == key) return &member.value;
    return nullptr;
}

Value* Value::find(std::string_view key) noexcept {
    if (Object* members = as_object())
        for (Member& member : *members)
            if (member.key == key) return &member.value;
    return nullptr;
}

}  // namespace vigil::json
