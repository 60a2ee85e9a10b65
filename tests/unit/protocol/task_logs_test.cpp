#include "protocol/task_logs.hpp"

#include <doctest/doctest.h>

using namespace vigil;
using protocol::LogPlace;
using protocol::parse_log_places;

namespace {

std::string result_of(const std::vector<LogPlace>& places) {
    std::string text;
    json::Writer out(text);
    out.begin_object().key("logs").begin_array();
    for (const LogPlace& place : places) write_log_place(out, place);
    out.end_array().end_object();
    return text;
}

}  // namespace

TEST_CASE("the place of a log is written with every member, null for what does not apply") {
    CHECK(
        result_of(
            {{.name = "web", .stream = "out", .to = "journal", .path = {}, .format = {}, .fault = {}}}) ==
        R"({"logs":[{"name":"web","stream":"out","to":"journal","path":null,"format":null,"fault":null}]})");
}

TEST_CASE("what is written is read back") {
    const auto places = parse_log_places(
        result_of({{.name = "api",
                    .stream = "err",
                    .to = "file",
                    .path = "/var/log/vigil/\"odd\".log",
                    .format = "raw",
                    .fault = "No space left on device"},
                   {.name = "web", .stream = "out", .to = "null", .path = {}, .format = {}, .fault = {}}}));
    REQUIRE(places.ok());
    REQUIRE(places->size() == 2);
    CHECK((*places)[0].name == "api");
    CHECK((*places)[0].stream == "err");
    CHECK((*places)[0].to == "file");
    CHECK((*places)[0].path == "/var/log/vigil/\"odd\".log");
    CHECK((*places)[0].format == "raw");
    CHECK((*places)[0].fault == "No space left on device");
    CHECK((*places)[1].to == "null");
    CHECK((*places)[1].path.empty());
}

TEST_CASE("a newer daemon may say more, in another order") {
    const auto places =
        parse_log_places(R"({"more":{},"logs":[{"to":"loki","size":[1,{}],"stream":"out","name":"api"}]})");
    REQUIRE(places.ok());
    CHECK(places->front().name == "api");
    CHECK(places->front().to == "loki");
}

TEST_CASE("an answer that cannot be acted upon is refused, and the member is named") {
    const auto error = [](std::string_view text) { return parse_log_places(text).error(); };
    CHECK(error(R"({})").find("logs") != std::string::npos);
    CHECK(error(R"({"logs":[{}]})").find("name") != std::string::npos);
    CHECK(error(R"({"logs":[{"name":"a"}]})").find("stream") != std::string::npos);
    CHECK(error(R"({"logs":[{"name":"a","stream":"out"}]})").find("to") != std::string::npos);
    CHECK(error(R"({"logs":[{"name":"a","stream":"out","to":"file","path":null}]})").find("path") !=
          std::string::npos);
    CHECK(!parse_log_places(R"({"logs":[{"name":1}]})").ok());
    CHECK(!parse_log_places("").ok());
}
