#include "protocol/task_event.hpp"

#include <array>

#include "protocol/fields.hpp"

namespace vigil::protocol {
namespace {

void write_state(json::Writer& out, std::string_view name, std::optional<core::StateName> state) {
    write_text(out, name, state ? core::to_string(*state) : std::string_view{});
}

void read_event_exit(JsonCursor& in, TaskEvent& to) {
    std::optional<LastExitView> exit;
    read_last_exit(in, exit);
    to.last_exit.reset();
    if (exit) to.last_exit = exit->status;
}

constexpr std::array<Field<TaskEvent>, 12> kFields = {{
    {"seq", [](JsonCursor& in, TaskEvent& to) { in.read(to.seq); }},
    {"time", [](JsonCursor& in, TaskEvent& to) { read_time(in, to.at); }},
    {"name", [](JsonCursor& in, TaskEvent& to) { in.read(to.name); }},
    {"generation", [](JsonCursor& in, TaskEvent& to) { in.read(to.generation); }},
    {"from", [](JsonCursor& in, TaskEvent& to) { read_text(in, to.from); }},
    {"to", [](JsonCursor& in, TaskEvent& to) { read_text(in, to.to); }},
    {"cause", [](JsonCursor& in, TaskEvent& to) { read_cause(in, to.cause); }},
    {"pid", [](JsonCursor& in, TaskEvent& to) { in.read(to.pid); }},
    {"restart_attempts", [](JsonCursor& in, TaskEvent& to) { in.read(to.restart_attempts); }},
    {"max_restart_attempts", [](JsonCursor& in, TaskEvent& to) { in.read(to.max_restart_attempts); }},
    {"next_start_in_ms", [](JsonCursor& in, TaskEvent& to) { in.read(to.next_start_in); }},
    {"last_exit", read_event_exit},
}};

}  // namespace

void write_task_event(json::Writer& out, const core::effect::Announce& change, std::uint64_t seq,
                      WallTime at) {
    out.begin_object().member("seq", seq).member("time", Rfc3339(at).view()).member("name", change.name);
    out.member("generation", static_cast<std::uint64_t>(change.generation));
    write_state(out, "from", change.from);
    write_state(out, "to", change.to);
    out.key("cause");
    write_cause(out, change.cause);
    out.key("pid");
    if (change.pid != 0)
        out.value(change.pid);
    else
        out.null();
    out.member("restart_attempts", change.attempts).member("max_restart_attempts", change.max_attempts);
    write_ms(out, "next_start_in_ms", change.next_start_in);
    out.key("last_exit");
    if (change.exit) {
        begin_exit(out, *change.exit);
        out.end_object();
    } else {
        out.null();
    }
    out.end_object();
}

Result<TaskEvent, std::string> parse_task_event(std::string_view params) {
    auto event = read_whole<TaskEvent>(params, kFields);
    if (event && event->name.empty()) return Failure{std::string("\"name\" is missing")};
    return event;
}

}  // namespace vigil::protocol
