#include "protocol/fields.hpp"

#include <array>

#include "base/signal_name.hpp"

namespace vigil::protocol {
namespace {

constexpr std::array<Field<CauseView>, 2> kCauseFields = {{
    {"kind", [](JsonCursor& in, CauseView& to) { in.read(to.kind); }},
    {"text", [](JsonCursor& in, CauseView& to) { in.read(to.text); }},
}};

std::string_view exit_kind_name(core::ExitStatus::Kind kind) {
    switch (kind) {
        case core::ExitStatus::Kind::code: return "code";
        case core::ExitStatus::Kind::signal: return "signal";
        case core::ExitStatus::Kind::unknown: break;
    }
    return "unknown";
}

void read_exit_kind(JsonCursor& in, LastExitView& to) {
    std::string word;
    in.read(word);
    using Kind = core::ExitStatus::Kind;
    to.status.kind = word == "code" ? Kind::code : word == "signal" ? Kind::signal : Kind::unknown;
}

constexpr std::array<Field<LastExitView>, 9> kExitFields = {{
    {"kind", read_exit_kind},
    {"code",
     [](JsonCursor& in, LastExitView& to) {
         if (!in.take_null()) in.read(to.status.code);
     }},
    {"signal",
     [](JsonCursor& in, LastExitView& to) {
         std::string name;
         read_text(in, name);
         to.status.signal = parse_signal(name).value_or(0);
     }},
    {"core", [](JsonCursor& in, LastExitView& to) { in.read(to.status.core); }},
    {"at", [](JsonCursor& in, LastExitView& to) { read_time(in, to.at); }},
    {"user_ms", [](JsonCursor& in, LastExitView& to) { in.read(to.user); }},
    {"system_ms", [](JsonCursor& in, LastExitView& to) { in.read(to.system); }},
    {"max_rss_bytes", [](JsonCursor& in, LastExitView& to) { in.read(to.max_rss); }},
    {"lines",
     [](JsonCursor& in, LastExitView& to) {
         if (!in.take_null()) read_strings(in, to.lines);
     }},
}};

}  // namespace

void read_text(JsonCursor& in, std::string& to) {
    if (in.take_null())
        to.clear();
    else
        in.read(to);
}

void read_strings(JsonCursor& in, std::vector<std::string>& to) {
    if (!in.enter_array()) return;
    while (in.next_element()) in.read(to.emplace_back());
}

void read_time(JsonCursor& in, std::optional<WallTime>& to) {
    to.reset();
    if (in.take_null()) return;
    std::string text;
    in.read(text);
    to = parse_rfc3339(text);
    if (in.ok() && !to) in.fail("a time such as 2026-03-01T12:00:00.250Z");
}

void read_cause(JsonCursor& in, std::optional<CauseView>& to) {
    to.reset();
    if (!in.take_null()) read_object(in, to.emplace(), std::span<const Field<CauseView>>(kCauseFields));
}

void read_last_exit(JsonCursor& in, std::optional<LastExitView>& to) {
    to.reset();
    if (!in.take_null()) read_object(in, to.emplace(), std::span<const Field<LastExitView>>(kExitFields));
}

void write_text(json::Writer& out, std::string_view name, std::string_view text) {
    out.key(name);
    if (text.empty())
        out.null();
    else
        out.value(text);
}

void write_ms(json::Writer& out, std::string_view name, const std::optional<core::Duration>& duration) {
    out.key(name);
    if (duration)
        out.value(std::chrono::floor<std::chrono::milliseconds>(*duration).count());
    else
        out.null();
}

void begin_exit(json::Writer& out, const core::ExitStatus& status) {
    using Kind = core::ExitStatus::Kind;
    out.begin_object().member("kind", exit_kind_name(status.kind)).key("code");
    if (status.kind == Kind::code)
        out.value(status.code);
    else
        out.null();
    out.key("signal");
    if (status.kind == Kind::signal)
        out.value(signal_name(status.signal));
    else
        out.null();
    out.member("core", status.core);
}

}  // namespace vigil::protocol
