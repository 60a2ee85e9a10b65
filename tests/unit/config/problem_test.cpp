#include "config/problem.hpp"

#include "support.hpp"

using namespace vigil;
using namespace vigil::config;

TEST_CASE("a problem shows file, line, column, message, the line and a caret") {
    const Problem problem{"a.json", {3, 5, 20}, "is wrong", "    \"nice\": 99"};
    CHECK(problem.text() == "a.json:3:5: is wrong\n    \"nice\": 99\n    ^");
}

TEST_CASE("the caret stands under its column behind tabs and characters of several bytes") {
    CHECK(Problem{"f", {1, 3, 0}, "m", "\t\tx"}.text() == "f:1:3: m\n\t\tx\n\t\t^");
    CHECK(Problem{"f", {1, 3, 0}, "m", "\xC3\xA4\xC3\xA4x"}.text() == "f:1:3: m\n\xC3\xA4\xC3\xA4x\n  ^");
}

TEST_CASE("a problem of a whole file has no place") {
    CHECK(Problem{"f", {}, "cannot be read", ""}.text() == "f: cannot be read");
}

TEST_CASE("a very long line is shown around the place") {
    std::string line(10'000, 'a');
    line[5000] = 'X';
    const std::string text = Problem{"f", {1, 5001, 5000}, "m", line}.text();
    CHECK(text.size() < 500);
    const std::size_t excerpt = text.find('\n') + 1;
    const std::size_t caret_line = text.find('\n', excerpt) + 1;
    CHECK(text[excerpt + (text.find('^') - caret_line)] == 'X');
}

TEST_CASE("a line that fits is shown whole, wherever the place is") {
    const std::string line(120, 'a');
    CHECK(Problem{"f", {1, 110, 109}, "m", line}.text() ==
          "f:1:110: m\n" + line + "\n" + std::string(109, ' ') + "^");
}

TEST_CASE("a caret may stand behind the end of its line") {
    CHECK(Problem{"f", {1, 4, 3}, "m", "abc"}.text() == "f:1:4: m\nabc\n   ^");
    CHECK(Problem{"f", {1, 99, 3}, "m", "abc"}.text() == "f:1:99: m\nabc\n   ^");
}

TEST_CASE("nothing of a file reaches the terminal as a control character") {
    const std::string text = Problem{"f\x1B", {1, 2, 1}, "m\n", "a\x1B[2Jb\xFF"}.text();
    CHECK_FALSE(mentions(text, "\x1B"));
    CHECK(mentions(text, "\\x1b"));
}

TEST_CASE("the line of a byte is found at every end of a text") {
    CHECK(line_at("ab\ncd\r\nef", 0) == "ab");
    CHECK(line_at("ab\ncd\r\nef", 2) == "ab");
    CHECK(line_at("ab\ncd\r\nef", 3) == "cd");
    CHECK(line_at("ab\ncd\r\nef", 7) == "ef");
    CHECK(line_at("ab\ncd\r\nef", 99) == "ef");
    CHECK(line_at("ab\n", 3).empty());
    CHECK(line_at("", 0).empty());
}
