#include "json/parse.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace vigil;
using json::Type;

namespace {

json::Value read(std::string_view text, const json::Limits& limits = {}) {
    auto document = json::parse(text, limits);
    REQUIRE_MESSAGE(document.ok(), document.error().front().message);
    return std::move(document->root);
}

/// The problems of a text that must not be read, as "line:column: message" lines.
std::string faults(std::string_view text, const json::Limits& limits = {}) {
    const auto document = json::parse(text, limits);
    REQUIRE_FALSE(document.ok());
    std::string out;
    for (const json::Problem& problem : document.error())
        out += std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column) + ": " +
               problem.message + "\n";
    return out;
}

bool mentions(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("every type of value is read as what it is") {
    const json::Value root =
        read(R"({"n": null, "t": true, "i": -7, "r": 1.5, "s": "x", "a": [1, 2], "o": {}})");
    CHECK(root.type() == Type::object);
    CHECK(root.find("n")->is_null());
    CHECK(*root.find("t")->as_bool());
    CHECK(root.find("i")->as_int64() == -7);
    CHECK(root.find("r")->as_number() == 1.5);
    CHECK(*root.find("s")->as_string() == "x");
    CHECK(root.find("a")->as_array()->size() == 2);
    CHECK(root.find("o")->as_object()->empty());
    CHECK(root.find("missing") == nullptr);
    CHECK(root.find("s")->find("x") == nullptr);
}

TEST_CASE("members keep the order in which they were written") {
    const json::Value root = read(R"({"z": 1, "a": 2, "m": 3})");
    std::string order;
    for (const json::Member& member : *root.as_object()) order += member.key;
    CHECK(order == "zam");
}

TEST_CASE("nasty 57: no getter converts one type into another") {
    CHECK_FALSE(read("1.0").as_int64());
    CHECK_FALSE(read("1.9").as_int64());
    CHECK_FALSE(read("1e300").as_int64());
    CHECK_FALSE(read("true").as_int64());
    CHECK_FALSE(read("true").as_number());
    CHECK_FALSE(read("\"10\"").as_int64());
    CHECK(read("1").as_bool() == nullptr);
    CHECK(read("null").as_string() == nullptr);
    CHECK(read("7").as_number() == 7.0);
}

TEST_CASE("nasty 57: integers are exact to the ends of 64 bits and refused beyond them") {
    CHECK(read("9223372036854775807").as_int64() == INT64_MAX);
    CHECK(read("-9223372036854775808").as_int64() == INT64_MIN);
    CHECK_FALSE(read("9223372036854775808").as_int64());
    CHECK(read("9223372036854775808").as_uint64() == 9223372036854775808ULL);
    CHECK(read("18446744073709551615").as_uint64() == UINT64_MAX);
    CHECK(read("18446744073709551615").type() == Type::integer);
    CHECK_FALSE(read("-1").as_uint64());
    CHECK(faults("[1, 18446744073709551616]") == "1:5: 18446744073709551616 does not fit into 64 bits\n");
    CHECK(mentions(faults("-9223372036854775809"), "does not fit"));
}

TEST_CASE("nasty 57: 4294967297 stays itself") {
    CHECK(read("4294967297").as_int64() == 4294967297);
}

TEST_CASE("nasty 57: a number beyond a double is refused, one too small becomes zero") {
    CHECK(faults("{\"a\": 1e400}") == "1:7: 1e400 is beyond the range of a number\n");
    CHECK(read("1e-400").as_number() == 0.0);
}

TEST_CASE("minus zero is the integer 0") {
    CHECK(read("-0").as_int64() == 0);
    CHECK(read("-0.0").type() == Type::real);
}

TEST_CASE("nasty 57: NaN and Infinity are refused by name") {
    CHECK(faults("{\"a\": NaN}") == "1:7: NaN is no JSON number\n");
    CHECK(mentions(faults("[Infinity]"), "Infinity is no JSON number"));
    CHECK_FALSE(json::parse("[-Infinity]").ok());
}

TEST_CASE("nasty 57: a duplicate key is an error that names both places") {
    CHECK(faults("{\"a\": 1,\n  \"b\": 2,\n  \"a\": 3}") ==
          "3:3: \"a\" is written twice in this object; the first is at line 1, column 2\n");
    CHECK_MESSAGE(json::parse(R"([{"a": 1}, {"a": 2}])").ok(), "two objects may have the same key");
    CHECK_MESSAGE(!json::parse(R"({"a": 1, "\u0061": 2})").ok(), "an escaped key is the same key");
}

TEST_CASE("all duplicates of a text are reported at once, in order of place") {
    CHECK(faults("{\"x\": {\"b\": 1, \"b\": 2}, \"a\": 1, \"a\": 2, \"a\": 3}") ==
          "1:16: \"b\" is written twice in this object; the first is at line 1, column 8\n"
          "1:33: \"a\" is written twice in this object; the first is at line 1, column 25\n"
          "1:41: \"a\" is written twice in this object; the first is at line 1, column 25\n");
}

TEST_CASE("nasty 57: NUL in a string is kept and can be found") {
    const json::Value value = read(R"("a\u0000b")");
    CHECK(value.as_string()->size() == 3);
    CHECK(json::has_nul(*value.as_string()));
    CHECK_FALSE(json::has_nul("ab"));
}

TEST_CASE("nasty 57: NUL outside of strings does not end the text early") {
    using namespace std::string_literals;
    CHECK(faults("{}\0garbage"s) == "1:3: the text holds U+0000\n");
    CHECK(mentions(faults("[1,\0 2]"s), "U+0000"));
    CHECK(mentions(faults("\0"s), "U+0000"));
    CHECK_FALSE(json::parse("\"a\0b\""s).ok());
}

TEST_CASE("nasty 57: a byte order mark is skipped, once") {
    CHECK(read("\xEF\xBB\xBF{}").type() == Type::object);
    CHECK(read("\xEF\xBB\xBF[1]").as_array()->front().place == json::Place{1, 2, 4});
    CHECK_FALSE(json::parse("\xEF\xBB\xBF\xEF\xBB\xBF{}").ok());
    CHECK_FALSE(json::parse("\xEF\xBB{}").ok());
    CHECK_FALSE(json::parse("\xFE\xFF\0{\0}").ok());
}

TEST_CASE("nasty 57: what follows the value is refused") {
    CHECK(faults("{} {}") == "1:4: found {, expected nothing more after the value\n");
    CHECK(mentions(faults("1 x"), "1:3: x is no JSON value"));
    CHECK(faults("{}]") == "1:3: found ], expected nothing more after the value\n");
}

TEST_CASE("nasty 57: invalid UTF-8 is refused where it stands") {
    CHECK(mentions(faults("\"ab\xC0\xAF\""), "1:4: "));
    CHECK_FALSE(json::parse("\"\xED\xA0\x80\"").ok());
    CHECK_FALSE(json::parse("\"\xFF\"").ok());
}

TEST_CASE("lone surrogates are refused, pairs are read") {
    CHECK_FALSE(json::parse(R"("\ud800")").ok());
    CHECK_FALSE(json::parse(R"("\udc00")").ok());
    CHECK_FALSE(json::parse(R"("\ud800\u0041")").ok());
    CHECK(*read(R"("\ud83d\ude00")").as_string() == "\xF0\x9F\x98\x80");
}

TEST_CASE("nasty 57: nesting is refused beyond the limit, and far beyond it without harm") {
    CHECK(json::parse(nested(32)).ok());
    CHECK(mentions(faults(nested(33)), "1:33: more than 32 brackets inside each other"));
    CHECK_FALSE(json::parse(nested(400'000)).ok());
    json::Limits deep;
    deep.max_depth = 1'000'000;
    CHECK_MESSAGE(json::parse(nested(512), deep).ok(), "no caller may ask for more than this");
    CHECK_FALSE(json::parse(nested(513), deep).ok());
}

TEST_CASE("nasty 57: small text cannot become a large tree") {
    std::string text = "[";
    for (int i = 0; i < 120'000; ++i) text += "[],";
    text += "[]]";
    CHECK(mentions(faults(text), "more than 100000 values in one text"));
    json::Limits three;
    three.max_values = 3;
    CHECK(json::parse(R"({"a": [1]})", three).ok());
    CHECK_FALSE(json::parse(R"({"a": [1, 2]})", three).ok());
}

TEST_CASE("nasty 57: a text over the limit of bytes is refused unread") {
    json::Limits four;
    four.max_bytes = 4;
    CHECK(json::parse("1234", four).ok());
    CHECK(mentions(faults("12345", four), "the limit is 4"));
}

TEST_CASE("the number of problems is bounded") {
    std::string text = "{";
    for (int i = 0; i < 3000; ++i) text += "\"a\": 1, ";
    text += "\"a\": 1}";
    CHECK(json::parse(text).error().size() == 1000);
}

TEST_CASE("comments are read only where they are allowed") {
    json::Limits comments;
    comments.allow_comments = true;
    const std::string_view text = "// first\n{ /* a \"b\" */ \"k\": 1 // last {\n}\n// end";
    CHECK(read(text, comments).find("k")->as_int64() == 1);
    CHECK(faults(text) == "1:1: comments are not allowed here\n");
    CHECK(*read(R"("// none")").as_string() == "// none");
    CHECK(faults("{} /* open", comments) == "1:4: this comment is not closed by */\n");
    CHECK_FALSE(json::parse("# no\n{}", comments).ok());
}

TEST_CASE("nasty 57: an empty text says what is missing") {
    CHECK(faults("") == "1:1: the text ends where a value is expected\n");
    CHECK(faults(" \n\t") == "2:2: the text ends where a value is expected\n");
}

TEST_CASE("errors of syntax say what was found and what is expected") {
    CHECK(faults("{\"a\" 1}") == "1:6: found 1, expected ':' after the key\n");
    CHECK(faults("[1 2]") == "1:4: found 2, expected ',' or ']'\n");
    CHECK(faults("{\"a\": 1 \"b\": 2}") == "1:9: found \"b\", expected ',' or '}'\n");
    CHECK(faults("{a: 1}") == "1:2: a is no JSON value; text stands in double quotes\n");
    CHECK(faults("{1: 1}") == "1:2: found 1, expected a key in double quotes\n");
    CHECK(faults("['a']") == "1:2: strings stand in double quotes, not in '...'\n");
    CHECK(faults("[True]") == "1:2: True is no JSON value; write true, false or null\n");
    CHECK(faults("[1,,2]") == "1:4: found ,, expected a value\n");
}

TEST_CASE("a comma too many is called that") {
    CHECK(faults("[1, 2,\n]") == "2:1: the comma before ']' is one too many\n");
    CHECK(faults("{\"a\": 1, }") == "1:10: the comma before '}' is one too many\n");
}

TEST_CASE("a text that ends too early names the bracket that is open") {
    CHECK(faults("{\n  \"a\": [1,\n  2") ==
          "3:4: the text ends here, but the '[' of line 2, column 8 is not closed\n");
    CHECK(mentions(faults("{\"a\": \"x"), "missing closing quote"));
}

TEST_CASE("messages carry nothing of the text that could disturb a terminal") {
    CHECK_FALSE(mentions(faults("{\"a\x7F\": 1, \"a\x7F\": 2}"), "\x7F"));
    CHECK_FALSE(mentions(faults("[\x1B[2J]"), "\x1B"));
}

TEST_CASE("of an object that is broken somewhere the members are there that were read whole before") {
    const auto keys = [](std::string_view text) {
        const json::Reading reading = json::read_leniently(text);
        CHECK_FALSE(reading.root);
        CHECK_FALSE(reading.problems.empty());
        if (!reading.beginning) return std::string("none");
        std::string found;
        for (const json::Member& member : *reading.beginning->as_object()) found += member.key;
        return found;
    };
    CHECK(keys(R"({"a": {"x": 1}, "b": [2], )") == "ab");
    CHECK(keys(R"({"a": {"x": 1}, "b": [2, )") == "a");
    CHECK(keys(R"({"a": {"x": 1}, "b": {"y": {"z": 1}, )") == "a");
    CHECK(keys(R"({"a": {"x": 1}, "b" )") == "a");
    CHECK(keys(R"({"a": {"x": 1} "b": 2})") == "a");
    CHECK(keys(R"({"a": {"x")") == "");
    CHECK(keys("{") == "");
    CHECK(keys("[1, ") == "none");
    CHECK(keys("") == "none");
    CHECK_FALSE(json::read_leniently(R"({"a": 1})").beginning);
}
