#include "protocol/reload_report.hpp"

#include <array>

#include "protocol/fields.hpp"

namespace vigil::protocol {
namespace {

void read_json(JsonCursor& in, std::string& to) {
    to = in.skip();
}

constexpr std::array<Field<ReloadField>, 4> kFieldFields = {{
    {"key", [](JsonCursor& in, ReloadField& to) { in.read(to.key); }},
    {"before", [](JsonCursor& in, ReloadField& to) { read_json(in, to.before); }},
    {"after", [](JsonCursor& in, ReloadField& to) { read_json(in, to.after); }},
    {"change", [](JsonCursor& in, ReloadField& to) { in.read(to.change); }},
}};

void read_fields(JsonCursor& in, std::vector<ReloadField>& to) {
    read_objects(in, to, std::span<const Field<ReloadField>>(kFieldFields));
}

constexpr std::array<Field<ReloadChange>, 4> kChangeFields = {{
    {"name", [](JsonCursor& in, ReloadChange& to) { in.read(to.name); }},
    {"restart", [](JsonCursor& in, ReloadChange& to) { in.read(to.restart); }},
    {"added_at_run_time", [](JsonCursor& in, ReloadChange& to) { in.read(to.added_at_run_time); }},
    {"fields", [](JsonCursor& in, ReloadChange& to) { read_fields(in, to.fields); }},
}};

constexpr std::array<Field<ReloadReport>, 6> kReportFields = {{
    {"applied", [](JsonCursor& in, ReloadReport& to) { in.read(to.applied); }},
    {"added", [](JsonCursor& in, ReloadReport& to) { read_strings(in, to.added); }},
    {"removed", [](JsonCursor& in, ReloadReport& to) { read_strings(in, to.removed); }},
    {"changed",
     [](JsonCursor& in, ReloadReport& to) {
         read_objects(in, to.changed, std::span<const Field<ReloadChange>>(kChangeFields));
     }},
    {"daemon", [](JsonCursor& in, ReloadReport& to) { read_fields(in, to.daemon); }},
    {"unchanged", [](JsonCursor& in, ReloadReport& to) { in.read(to.unchanged); }},
}};

void write_names(json::Writer& out, std::string_view key, const std::vector<std::string>& names) {
    out.key(key).begin_array();
    for (const std::string& name : names) out.value(name);
    out.end_array();
}

void write_fields(json::Writer& out, std::string_view key, const std::vector<ReloadField>& fields) {
    out.key(key).begin_array();
    for (const ReloadField& field : fields) {
        out.begin_object().member("key", field.key).key("before").raw(field.before);
        out.key("after").raw(field.after).member("change", field.change).end_object();
    }
    out.end_array();
}

}  // namespace

void write_reload_report(json::Writer& out, const ReloadReport& report) {
    out.begin_object().member("applied", report.applied);
    write_names(out, "added", report.added);
    write_names(out, "removed", report.removed);
    out.key("changed").begin_array();
    for (const ReloadChange& change : report.changed) {
        out.begin_object().member("name", change.name).member("restart", change.restart);
        out.member("added_at_run_time", change.added_at_run_time);
        write_fields(out, "fields", change.fields);
        out.end_object();
    }
    out.end_array();
    write_fields(out, "daemon", report.daemon);
    out.member("unchanged", report.unchanged).key("tasks");
    write_outcome_array(out, report.tasks);
    out.end_object();
}

Result<ReloadReport, std::string> parse_reload_report(std::string_view result) {
    auto report = read_whole<ReloadReport>(result, kReportFields);
    if (!report) return report;
    auto tasks = parse_outcomes(result);
    if (!tasks) return Failure{std::move(tasks).error()};
    report->tasks = std::move(tasks).value();
    return report;
}

}  // namespace vigil::protocol
