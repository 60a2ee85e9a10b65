#include "output/line_format.hpp"

#include <doctest/doctest.h>

#include "output/collector.hpp"

using namespace vigil::output;
using vigil::core::OutputFormat;

namespace {

constexpr std::int64_t kAt = 1772366400250;  // 2026-03-01T12:00:00.250Z

std::string line(OutputFormat format, std::string_view text, bool partial = false) {
    std::string out;
    append_line(out, format, {"api", 4711, "out"}, time_text(kAt), {text, text.size(), partial});
    return out;
}

}  // namespace

TEST_CASE("Lines carry a time, a name, or both as JSON") {
    CHECK(line(OutputFormat::timestamp, "text") == "2026-03-01T12:00:00.250Z text\n");
    CHECK(line(OutputFormat::prefix, "text") == "2026-03-01T12:00:00.250Z api[4711] out: text\n");
    CHECK(line(OutputFormat::json, "text") ==
          R"({"time":"2026-03-01T12:00:00.250Z","task":"api","pid":4711,"stream":"out","text":"text"})"
          "\n");
}

TEST_CASE("A line that goes on is marked") {
    CHECK(line(OutputFormat::timestamp, "text", true) == "2026-03-01T12:00:00.250Z text \\\n");
    CHECK(line(OutputFormat::prefix, "text", true) == "2026-03-01T12:00:00.250Z api[4711] out: text \\\n");
    CHECK(
        line(OutputFormat::json, "text", true) ==
        R"({"time":"2026-03-01T12:00:00.250Z","task":"api","pid":4711,"stream":"out","partial":true,"text":"text"})"
        "\n");
}

TEST_CASE("nasty 52: NUL, ESC, CR and bad UTF-8 stay as they are in text, and are escaped in JSON") {
    const std::string nasty("a\0\x1b\r\xff\"\\\xc3\xa4", 9);
    CHECK(line(OutputFormat::timestamp, nasty) == "2026-03-01T12:00:00.250Z " + nasty + "\n");
    CHECK(line(OutputFormat::json, nasty).find("\"a\\u0000\\u001b\\r\xef\xbf\xbd\\\"\\\\\xc3\xa4\"") !=
          std::string::npos);
}

TEST_CASE("Times are those of the calendar, before 1970 too") {
    CHECK(time_text(0) == "1970-01-01T00:00:00.000Z");
    CHECK(time_text(-1) == "1969-12-31T23:59:59.999Z");
    CHECK(time_text(951782399999) == "2000-02-28T23:59:59.999Z");
}

TEST_CASE("Pieces are lines; the rest waits, or is written partly or as the last line") {
    const auto first = next_piece("one\ntwo", Unended::wait);
    REQUIRE(first);
    CHECK(first->text == "one");
    CHECK(first->consumed == 4);
    CHECK(!first->partial);
    CHECK(!next_piece("two", Unended::wait));
    CHECK(!next_piece("", Unended::whole));
    CHECK(next_piece("two", Unended::partly)->partial);
    CHECK(!next_piece("two", Unended::whole)->partial);
    CHECK(next_piece("\n", Unended::wait)->consumed == 1);
}

TEST_CASE("nasty 51: a line without an end is cut into pieces of bounded length") {
    const std::string endless(kMostLineBytes + 1, 'x');
    const auto piece = next_piece(endless, Unended::wait);
    REQUIRE(piece);
    CHECK(piece->partial);
    CHECK(piece->consumed == kMostLineBytes);
    CHECK(!next_piece(std::string(kMostLineBytes, 'x'), Unended::wait));
    CHECK(next_piece(std::string(kMostLineBytes, 'x') + "\n", Unended::wait)->consumed == kMostLineBytes + 1);
}

TEST_CASE("A UTF-8 sequence is not cut in two") {
    for (const std::string letter : {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
        for (std::size_t before = 1; before <= letter.size(); ++before) {
            const std::string head(kMostLineBytes - before, 'x');
            const auto piece = next_piece(head + letter + "yyyy", Unended::wait);
            REQUIRE(piece);
            CHECK(piece->consumed == (before == letter.size() ? kMostLineBytes : head.size()));
        }
    // Bytes that are no UTF-8 do not stop it.
    CHECK(next_piece(std::string(kMostLineBytes + 1, '\x80'), Unended::wait)->consumed == kMostLineBytes);
}

TEST_CASE("The text of a line is found again, whatever it holds") {
    for (const OutputFormat format :
         {OutputFormat::raw, OutputFormat::timestamp, OutputFormat::prefix, OutputFormat::json})
        for (const std::string text : {"", "text", "a: b", "[x] out: \\", "\"q\"\\\t\x1b"}) {
            std::string made = format == OutputFormat::raw ? text + "\n" : line(format, text);
            made.pop_back();
            CHECK(text_of(made, format) == text);
        }
}

TEST_CASE("A line of another origin is taken as it is") {
    for (const OutputFormat format : {OutputFormat::timestamp, OutputFormat::prefix, OutputFormat::json})
        CHECK(text_of("[vigil: something]", format) == "[vigil: something]");
}
