#include "protocol/task_logs.hpp"

#include <array>

#include "protocol/fields.hpp"

namespace vigil::protocol {
namespace {

// In the order of write_log_place.
constexpr std::array<Field<LogPlace>, 6> kFields = {{
    {"name", [](JsonCursor& in, LogPlace& to) { in.read(to.name); }},
    {"stream", [](JsonCursor& in, LogPlace& to) { in.read(to.stream); }},
    {"to", [](JsonCursor& in, LogPlace& to) { in.read(to.to); }},
    {"path", [](JsonCursor& in, LogPlace& to) { read_text(in, to.path); }},
    {"format", [](JsonCursor& in, LogPlace& to) { read_text(in, to.format); }},
    {"fault", [](JsonCursor& in, LogPlace& to) { read_text(in, to.fault); }},
}};

}  // namespace

void write_log_place(json::Writer& out, const LogPlace& place) {
    out.begin_object().member("name", place.name).member("stream", place.stream).member("to", place.to);
    write_text(out, "path", place.path);
    write_text(out, "format", place.format);
    write_text(out, "fault", place.fault);
    out.end_object();
}

Result<std::vector<LogPlace>, std::string> parse_log_places(std::string_view result) {
    auto places = read_list<LogPlace>(result, "logs", kFields);
    if (!places) return places;
    for (const LogPlace& place : *places) {
        if (place.name.empty()) return Failure{std::string("\"name\" is missing")};
        if (place.stream.empty()) return Failure{"\"stream\" of " + place.name + " is missing"};
        if (place.to.empty()) return Failure{"\"to\" of " + place.name + " is missing"};
        if (place.to == "file" && !place.path.starts_with('/'))
            return Failure{"\"path\" of " + place.name + " is no absolute path"};
    }
    return places;
}

}  // namespace vigil::protocol
