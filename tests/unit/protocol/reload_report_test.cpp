#include "protocol/reload_report.hpp"

#include <doctest/doctest.h>

namespace vigil::protocol {
namespace {

ReloadReport full() {
    ReloadReport report;
    report.applied = true;
    report.added = {"new"};
    report.removed = {"old", "older"};
    report.changed = {
        {.name = "api",
         .restart = true,
         .added_at_run_time = true,
         .fields = {{.key = "command", .before = R"(["a","b"])", .after = R"(["c"])", .change = "task"}}}};
    report.daemon = {
        {.key = "daemon.log.level", .before = "\"info\"", .after = "\"debug\"", .change = "live"}};
    report.unchanged = 3;
    report.tasks = {
        {.name = "api", .kind = TaskOutcome::Kind::failed, .status = "failed", .explanation = "why"}};
    return report;
}

std::string written(const ReloadReport& report) {
    std::string text;
    json::Writer out(text);
    write_reload_report(out, report);
    return text;
}

TEST_CASE("what daemon.reload answers reads back as it was written") {
    for (const ReloadReport& report : {full(), ReloadReport{}}) {
        const std::string text = written(report);
        const auto read = parse_reload_report(text);
        REQUIRE(read.ok());
        CHECK(written(*read) == text);
    }
}

TEST_CASE("values are JSON as they stand in a configuration, not text of it") {
    CHECK(written(full()).find(R"("before":["a","b"],"after":["c"],"change":"task")") != std::string::npos);
}

TEST_CASE("a report differs as soon as one thing does") {
    CHECK(full().differs());
    CHECK_FALSE(ReloadReport{}.differs());
    ReloadReport only_unchanged;
    only_unchanged.unchanged = 7;
    CHECK_FALSE(only_unchanged.differs());
}

TEST_CASE("an answer of another form is an error and no report") {
    for (const char* text : {"", "[]", "{}", R"({"added":7,"tasks":[]})", R"({"applied":true,"tasks":[)"})
        CHECK_FALSE(parse_reload_report(text).ok());
}

}  // namespace
}  // namespace vigil::protocol
