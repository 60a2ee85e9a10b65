#include "json/writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/check.hpp"
#include "base/text.hpp"

namespace vigil::json {
namespace {

constexpr std::size_t kShortKey = 60;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Bytes that stand for themselves: printable ASCII but the quote and the backslash.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t c = 0x20; c < 0x7F; ++c) plain[c] = c != '"' && c != '\\';
    return plain;
}();

bool is_plain(char c) noexcept {
    return kPlain[static_cast<unsigned char>(c)];
}

void append_escaped(std::string& out, unsigned code) {
    switch (code) {
        case '"': out.append("\\\""); return;
        case '\\': out.append("\\\\"); return;
        case '\n': out.append("\\n"); return;
        case '\r': out.append("\\r"); return;
        case '\t': out.append("\\t"); return;
        default: break;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    out.append("\\u00").push_back(kHex[code >> 4U & 0xFU]);
    out.push_back(kHex[code & 0xFU]);
}

/// Appends the one character (or broken byte) at the start of `text`; gives its length in bytes.
std::size_t append_special(std::string& out, std::string_view text) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) {
        out.append(kReplacement);
        return 1;
    }
    const auto byte = static_cast<unsigned char>(text[length - 1]);
    const bool c1_control = length == 2 && static_cast<unsigned char>(text[0]) == 0xC2 && byte < 0xA0;
    if (length == 1 || c1_control)
        append_escaped(out, byte);
    else
        out.append(text.substr(0, length));
    return length;
}

template <typename T>
void append_number(std::string& out, T number) {
    std::array<char, 32> buffer;
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    VIGIL_CHECK(error == std::errc{}, "32 characters hold every number");
    out.append(buffer.data(), end);
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    out.push_back('"');
    std::size_t done = 0;
    while (done < text.size()) {
        std::size_t end = done;
        while (end < text.size() && is_plain(text[end])) ++end;
        out.append(text, done, end - done);
        done = end;
        if (done < text.size()) done += append_special(out, text.substr(done));
    }
    out.push_back('"');
}

void Writer::new_line() {
    if (style_ == Style::compact) return;
    out_.push_back('\n');
    out_.append(std::size_t{depth_} * 2, ' ');
}

void Writer::before_value() {
    VIGIL_CHECK(depth_ == 0 ? first_[0] : (!object_[depth_] || after_key_), "a value has its place");
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (depth_ != 0) {
        if (!first_[depth_]) out_.push_back(',');
        new_line();
    }
    first_[depth_] = false;
}

void Writer::begin(char bracket, bool object) {
    before_value();
    VIGIL_CHECK(depth_ < kMaxDepth, "output is not nested this deeply");
    out_.push_back(bracket);
    ++depth_;
    first_[depth_] = true;
    object_[depth_] = object;
}

void Writer::end(char bracket, bool object) {
    VIGIL_CHECK(depth_ > 0 && object_[depth_] == object && !after_key_, "an end has its beginning");
    const bool empty = first_[depth_];
    --depth_;
    if (!empty) new_line();
    out_.push_back(bracket);
}

Writer& Writer::begin_object() {
    begin('{', true);
    return *this;
}

Writer& Writer::end_object() {
    end('}', true);
    return *this;
}

Writer& Writer::begin_array() {
    begin('[', false);
    return *this;
}

Writer& Writer::end_array() {
    end(']', false);
    return *this;
}

Writer& Writer::key(std::string_view name) {
    VIGIL_CHECK(depth_ > 0 && object_[depth_] && !after_key_, "a key stands in an object");
    const bool comma = !std::exchange(first_[depth_], false);
    after_key_ = true;
    if (style_ == Style::compact && name.size() <= kShortKey &&
        std::all_of(name.begin(), name.end(), is_plain)) {
        // As nearly all are: put together beside the text, so that it grows once a key.
        std::array<char, kShortKey + 4> piece;
        char* end = piece.data();
        if (comma) *end++ = ',';
        *end++ = '"';
        end = std::copy(name.begin(), name.end(), end);
        *end++ = '"';
        *end++ = ':';
        out_.append(piece.data(), static_cast<std::size_t>(end - piece.data()));
        return *this;
    }
    if (comma) out_.push_back(',');
    new_line();
    append_quoted(out_, name);
    out_.append(style_ == Style::pretty ? ": " : ":");
    return *this;
}

Writer& Writer::null() {
    before_value();
    out_.append("null");
    return *this;
}

Writer& Writer::value(bool flag) {
    before_value();
    out_.append(flag ? "true" : "false");
    return *this;
}

Writer& Writer::value(std::string_view text) {
    before_value();
    append_quoted(out_, text);
    return *this;
}

Writer& Writer::value(double number) {
    if (!std::isfinite(number)) return null();
    before_value();
    const std::size_t begin = out_.size();
    append_number(out_, number);
    // Without a point it would be read back as an integer.
    if (out_.find_first_of(".e", begin) == std::string::npos) out_.append(".0");
    return *this;
}

Writer& Writer::integer(std::int64_t number) {
    before_value();
    append_number(out_, number);
    return *this;
}

Writer& Writer::unsigned_integer(std::uint64_t number) {
    before_value();
    append_number(out_, number);
    return *this;
}

Writer& Writer::raw(std::string_view json) {
    before_value();
    out_.append(json);
    return *this;
}

Writer& Writer::value(const Value& tree) {
    switch (tree.type()) {
        case Type::null: return null();
        case Type::boolean: return value(*tree.as_bool());
        case Type::real: return value(*tree.as_number());
        case Type::string: return value(*tree.as_string());
        case Type::integer: {
            const auto number = tree.as_int64();
            return number ? integer(*number) : unsigned_integer(*tree.as_uint64());
        }
        case Type::array:
            begin_array();
            for (const Value& element : *tree.as_array()) value(element);
            return end_array();
        case Type::object:
            begin_object();
            for (const Member& member : *tree.as_object()) key(member.key).value(member.value);
            return end_object();
    }
    return *this;
}

std::string to_text(const Value& tree, Style style) {
    std::string out;
    Writer(out, style).value(tree);
    return out;
}

}  // namespace vigil::json
