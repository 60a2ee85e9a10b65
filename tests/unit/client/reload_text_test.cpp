#include "ctl/reload_text.hpp"

#include <doctest/doctest.h>

using namespace vigil::ctl;
using vigil::protocol::ReloadReport;

TEST_CASE("a difference is shown task by task and field by field, each with what it needs") {
    ReloadReport report;
    report.added = {"new"};
    report.removed = {"old"};
    report.changed = {
        {.name = "api",
         .restart = true,
         .added_at_run_time = false,
         .fields = {{.key = "nice", .before = "null", .after = "3", .change = "task"},
                    {.key = "stop.timeout", .before = "\"10s\"", .after = "\"5s\"", .change = "live"}}},
        {.name = "mine", .restart = false, .added_at_run_time = true, .fields = {}}};
    report.daemon = {{.key = "daemon.log_dir", .before = "\"/a\"", .after = "\"/b\"", .change = "daemon"}};
    report.unchanged = 7;
    CHECK(render_differences(report) ==
          "removed  old: is stopped\n"
          "changed  api: restarts if it runs\n"
          "    nice: null -> 3  (restart)\n"
          "    stop.timeout: \"10s\" -> \"5s\"  (live)\n"
          "changed  mine: was added at run time, now in the configuration\n"
          "added    new\n"
          "daemon\n"
          "    daemon.log_dir: \"/a\" -> \"/b\"  (at the next start of vigild)\n"
          "1 added, 1 removed, 2 changed (1 by a restart), 7 unchanged\n");
}

TEST_CASE("no difference is one line, and what a file holds cannot reach the terminal") {
    ReloadReport report;
    report.unchanged = 1;
    CHECK(render_differences(report) == "no differences (1 task)\n");
    report.removed = {"\x1b[2J"};
    CHECK(render_differences(report).find('\x1b') == std::string::npos);
}
