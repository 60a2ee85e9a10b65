#include "output/last_words.hpp"

#include <doctest/doctest.h>

using namespace vigil::output;
using vigil::core::OutputFormat;
using Lines = std::vector<std::string>;

TEST_CASE("Last words are the last lines, ended or not") {
    CHECK(last_lines("", OutputFormat::raw, false).empty());
    CHECK(last_lines("\n", OutputFormat::raw, false) == Lines{""});
    CHECK(last_lines("a\nb\n", OutputFormat::raw, false) == Lines{"a", "b"});
    CHECK(last_lines("a\n\nb", OutputFormat::raw, false) == Lines{"a", "", "b"});
}

TEST_CASE("Last words are bounded in number and length") {
    std::string text;
    for (int i = 0; i < 30; ++i) text += std::to_string(i) + "\n";
    const auto lines = last_lines(text, OutputFormat::raw, false);
    REQUIRE(lines.size() == kLastLines);
    CHECK(lines.front() == "20");
    CHECK(lines.back() == "29");
    CHECK(last_lines(std::string(5000, 'x'), OutputFormat::raw, false) ==
          Lines{std::string(kLastLineBytes, 'x')});
}

TEST_CASE("A torn first line is left out, unless it is the only one") {
    CHECK(last_lines("rn\nb\n", OutputFormat::raw, true) == Lines{"b"});
    CHECK(last_lines("rn", OutputFormat::raw, true) == Lines{"rn"});
}

TEST_CASE("Last words come without what the format added") {
    CHECK(last_lines("2026-03-01T12:00:00.250Z api[1] out: a\n", OutputFormat::prefix, false) == Lines{"a"});
}

TEST_CASE("Of two streams, what was said on stderr stays") {
    CHECK(join_last_lines({"o"}, {"e"}) == Lines{"o", "e"});
    CHECK(join_last_lines(Lines(kLastLines, "o"), {"e"}).back() == "e");
    CHECK(join_last_lines(Lines(kLastLines, "o"), Lines(kLastLines, "e")) == Lines(kLastLines, "e"));
}
