#include "json/writer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "json/parse.hpp"

using namespace vigil;

namespace {

std::string quoted(std::string_view text) {
    std::string out;
    json::append_quoted(out, text);
    return out;
}

template <typename T>
std::string written(const T& value) {
    std::string out;
    json::Writer(out).value(value);
    return out;
}

}  // namespace

TEST_CASE("commas and colons come by themselves") {
    std::string out = "head ";
    json::Writer writer(out);
    writer.begin_object().member("a", 1).key("b").begin_array().value(true).null().value("x").end_array();
    CHECK_FALSE(writer.complete());
    writer.key("c").begin_object().end_object().member("d", -1.5).end_object();
    CHECK(writer.complete());
    CHECK(out == R"(head {"a":1,"b":[true,null,"x"],"c":{},"d":-1.5})");
}

TEST_CASE("the pretty style puts one member a line") {
    std::string out;
    json::Writer writer(out, json::Style::pretty);
    writer.begin_object().member("a", 1).key("b").begin_array().value(2).value(3).end_array();
    writer.key("c").begin_array().end_array().end_object();
    CHECK(out == "{\n  \"a\": 1,\n  \"b\": [\n    2,\n    3\n  ],\n  \"c\": []\n}");
}

TEST_CASE("strings are escaped where JSON, a line or a terminal needs it") {
    CHECK(quoted("plain") == "\"plain\"");
    CHECK(quoted("\"\\/") == "\"\\\"\\\\/\"");
    CHECK(quoted("\n\r\t\b\x1B") == "\"\\n\\r\\t\\u0008\\u001b\"");
    CHECK(quoted(std::string_view("\0", 1)) == "\"\\u0000\"");
    CHECK(quoted("\x7F\xC2\x9B") == "\"\\u007f\\u009b\"");
    CHECK(quoted("\xC3\xA4\xF0\x9F\x98\x80") == "\"\xC3\xA4\xF0\x9F\x98\x80\"");
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD, one each") {
    CHECK(quoted("a\xFF\xC0z") == "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\"");
    CHECK(quoted("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    CHECK(quoted("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST_CASE("every byte string becomes JSON that reads back") {
    for (int high = 0; high < 256; ++high)
        for (int low = 0; low < 256; low += 5) {
            const std::string raw{static_cast<char>(high), static_cast<char>(low), 'x'};
            const auto document = json::parse(quoted(raw));
            REQUIRE(document.ok());
            CHECK(document->root.as_string()->ends_with("x"));
        }
}

TEST_CASE("numbers are exact") {
    CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(written(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(written(0U) == "0");
    CHECK(written(0.1) == "0.1");
    CHECK(written(5.0) == "5.0");
    CHECK(written(1e300) == "1e+300");
    CHECK(written(std::numeric_limits<double>::infinity()) == "null");
    CHECK(written(std::numeric_limits<double>::quiet_NaN()) == "null");
}

TEST_CASE("a literal is text and a bool is a bool, and nothing is null") {
    CHECK(written("x") == "\"x\"");
    CHECK(written(std::string("y")) == "\"y\"");
    CHECK(written(true) == "true");
    CHECK(written(std::optional<int>{}) == "null");
    CHECK(written(std::optional<int>{4}) == "4");
    CHECK(written(nullptr) == "null");
}

TEST_CASE("a tree is written as it was read") {
    const std::string_view text =
        R"({"a":[1,-2,18446744073709551615,1.5,true,null,"\u0000"],"b":{"c":[]},"z":1e+300})";
    const auto document = json::parse(text);
    REQUIRE(document.ok());
    CHECK(json::to_text(document->root) == text);
    const auto again = json::parse(json::to_text(document->root, json::Style::pretty));
    REQUIRE(again.ok());
    CHECK(json::to_text(again->root) == text);
}

TEST_CASE("a finished text can be put in as a value") {
    std::string out;
    json::Writer writer(out);
    writer.begin_array().raw("{\"a\":1}").raw("2").end_array();
    CHECK(out == "[{\"a\":1},2]");
}
