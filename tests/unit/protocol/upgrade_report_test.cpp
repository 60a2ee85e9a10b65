#include "protocol/upgrade_report.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vigil::protocol {
namespace {

TEST_CASE("what daemon.upgrade answers reads back as it was written") {
    std::string text;
    json::Writer out(text);
    write_upgrade_report(out, {.from = "0.1.0", .to = "0.2.0", .program = "/opt/vi\"gil/vigild"});
    CHECK(text == R"({"from":"0.1.0","to":"0.2.0","program":"/opt/vi\"gil/vigild"})");
    const auto read = parse_upgrade_report(text);
    REQUIRE(read.ok());
    CHECK(read->from == "0.1.0");
    CHECK(read->to == "0.2.0");
    CHECK(read->program == "/opt/vi\"gil/vigild");
}

TEST_CASE("an upgrade's answer of another form is an error and no report") {
    for (const char* text : {"", "[]", R"({"from":7})", R"({"from":"0.1.0")", R"({"from":"0.1.0"} x)"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_upgrade_report(text).ok());
    }
}

}  // namespace
}  // namespace vigil::protocol
