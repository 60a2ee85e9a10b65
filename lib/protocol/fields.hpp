// Layer protocol, internal. Readers of fields that several objects share.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/cause.hpp"
#include "protocol/json_cursor.hpp"
#include "protocol/task_status.hpp"

namespace vigil::protocol {

/// A string; null counts as empty.
void read_text(JsonCursor& in, std::string& to);
void read_strings(JsonCursor& in, std::vector<std::string>& to);
void read_time(JsonCursor& in, std::optional<WallTime>& to);
void read_cause(JsonCursor& in, std::optional<CauseView>& to);
void read_last_exit(JsonCursor& in, std::optional<LastExitView>& to);

/// Writes a string, or null for an empty one.
void write_text(json::Writer& out, std::string_view name, std::string_view text);
/// Writes whole milliseconds, rounded down, or null.
void write_ms(json::Writer& out, std::string_view name, const std::optional<core::Duration>& duration);
/// {"kind","code","signal","core"}, the object left open.
void begin_exit(json::Writer& out, const core::ExitStatus& status);

/// An array of objects.
template <typename T>
void read_objects(JsonCursor& in, std::vector<T>& to, std::span<const Field<T>> fields) {
    if (!in.enter_array()) return;
    while (in.next_element()) read_object(in, to.emplace_back(), fields);
}

/// {"<name>":[...]}: the list, or what is wrong with the text.
template <typename T>
Result<std::vector<T>, std::string> read_list(std::string_view text, std::string_view name,
                                              std::span<const Field<T>> fields) {
    JsonCursor in(text);
    std::vector<T> list;
    // A guess that is rarely too small, so that a long list is not moved while it grows.
    constexpr std::size_t kBytesOfOne = 400;
    list.reserve(text.size() / kBytesOfOne);
    bool found = false;
    if (in.enter_object()) {
        while (const auto key = in.next_member()) {
            if (*key != name) {
                (void)in.skip();
                continue;
            }
            found = true;
            read_objects(in, list, fields);
        }
    }
    in.expect_end();
    if (!in.ok()) return Failure{in.error()};
    if (!found) return Failure{"\"" + std::string(name) + "\" is missing"};
    return list;
}

/// One object that is the whole text.
template <typename T>
Result<T, std::string> read_whole(std::string_view text, std::span<const Field<T>> fields) {
    JsonCursor in(text);
    T value;
    read_object(in, value, fields);
    in.expect_end();
    if (!in.ok()) return Failure{in.error()};
    return value;
}

}  // namespace vigil::protocol
