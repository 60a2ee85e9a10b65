#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "json/parse.hpp"
#include "json/writer.hpp"

using namespace vigil;

namespace {

json::Value read(std::string_view text) {
    json::Limits limits;
    limits.allow_comments = true;
    auto document = json::parse(text, limits);
    REQUIRE_MESSAGE(document.ok(), document.error().front().message);
    return std::move(document->root);
}

/// Every value and key of the tree must stand in the text where its place says.
void expect_places_hold(std::string_view text, const json::Value& value) {
    const std::string_view here = text.substr(value.place.offset);
    if (value.type() == json::Type::object) {
        CHECK(here.front() == '{');
        for (const json::Member& member : *value.as_object()) {
            std::string quoted;
            json::append_quoted(quoted, member.key);
            CHECK(text.substr(member.place.offset).starts_with(quoted));
            expect_places_hold(text, member.value);
        }
    } else if (value.type() == json::Type::array) {
        CHECK(here.front() == '[');
        for (const json::Value& element : *value.as_array()) expect_places_hold(text, element);
    } else {
        CHECK(here.starts_with(json::to_text(value)));
    }
    std::uint32_t line = 1;
    std::uint32_t column = 1;
    for (std::size_t i = 0; i < value.place.offset; ++i) {
        if (text[i] == '\n') {
            ++line;
            column = 0;
        }
        if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) ++column;
    }
    CHECK(value.place.line == line);
    CHECK(value.place.column == column);
}

struct Texts {
    std::mt19937 random;
    std::string out;

    std::size_t pick(std::size_t count) {
        return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
    }
    void blank() {
        static const std::vector<std::string> kBlanks{
            "", " ", "\n", "\t ", "\r\n", "// c\n", "/* \" { */", "/* \xC3\xA4\n*/", "/**/"};
        out += kBlanks[pick(kBlanks.size())];
    }
    void value(int depth) {
        static const std::vector<std::string> kScalars{
            "null",   "true",       "-12",      "0",         "1.5",
            "\"\"",   "\"a\\\"b\"", "\"\\\\\"", "\"// no\"", "\"\xC3\xA4\xE2\x82\xAC\"",
            "\"\\n\""};
        blank();
        const std::size_t kind = depth == 0 ? 2 : pick(4);
        if (kind >= 2) {
            out += kScalars[pick(kScalars.size())];
        } else {
            out += kind == 0 ? '[' : '{';
            const std::size_t count = pick(4);
            for (std::size_t i = 0; i < count; ++i) {
                if (i != 0) out += ',';
                blank();
                if (kind == 1) {
                    out += "\"k\xC3\xA4" + std::to_string(i) + "\"";
                    blank();
                    out += ':';
                }
                value(depth - 1);
            }
            blank();
            out += kind == 0 ? ']' : '}';
        }
        blank();
    }
};

}  // namespace

TEST_CASE("a place counts lines, characters and bytes from the first character of the token") {
    const json::Value root = read("{\n  \"\xC3\xA4\": [10,\t\"x\"]\n}");
    const json::Member& member = root.as_object()->front();
    CHECK(root.place == json::Place{1, 1, 0});
    CHECK(member.place == json::Place{2, 3, 4});
    CHECK(member.value.place == json::Place{2, 8, 10});
    CHECK((*member.value.as_array())[0].place == json::Place{2, 9, 11});
    CHECK((*member.value.as_array())[1].place == json::Place{2, 13, 15});
}

TEST_CASE("a value that was not parsed has no place") {
    CHECK_FALSE(json::Value(true).place.known());
}

TEST_CASE("the scanner keeps step with the parser through any mixture of blanks, comments and strings") {
    for (unsigned seed = 1; seed <= 400; ++seed) {
        Texts texts{std::mt19937(seed), {}};
        texts.value(4);
        CAPTURE(texts.out);
        expect_places_hold(texts.out, read(texts.out));
    }
}

TEST_CASE("no mutilated text breaks the parser, and each fault lies within the text") {
    for (unsigned seed = 1; seed <= 2000; ++seed) {
        Texts texts{std::mt19937(seed), {}};
        texts.value(3);
        std::string text = texts.out;
        for (std::size_t i = 0; i < 3 && !text.empty(); ++i) {
            const std::size_t at = texts.pick(text.size());
            if (texts.pick(2) == 0)
                text.erase(at, 1);
            else
                text[at] = static_cast<char>(texts.pick(256));
        }
        json::Limits limits;
        limits.allow_comments = true;
        const auto document = json::parse(text, limits);
        if (document.ok()) continue;
        for (const json::Problem& problem : document.error()) {
            CHECK(problem.place.known());
            CHECK(problem.place.offset <= text.size());
            CHECK(problem.message.find('\n') == std::string::npos);
        }
    }
}
