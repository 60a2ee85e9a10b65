#include "protocol/line_framing.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using vigil::protocol::LineReader;

namespace {

std::vector<std::string> lines_of(LineReader& reader) {
    std::vector<std::string> lines;
    while (const auto line = reader.next()) lines.emplace_back(*line);
    return lines;
}

}  // namespace

TEST_CASE("nasty 65: lines come out the same wherever the stream is split") {
    const std::string stream = "{\"a\":1}\n\n  \n{\"b\":2}\r\nlast\n";
    const std::vector<std::string> expected = {"{\"a\":1}", "{\"b\":2}", "last"};
    for (std::size_t first = 0; first <= stream.size(); ++first) {
        for (std::size_t second = first; second <= stream.size(); ++second) {
            LineReader reader;
            std::vector<std::string> lines;
            for (const auto& piece :
                 {stream.substr(0, first), stream.substr(first, second - first), stream.substr(second)}) {
                reader.feed(piece);
                for (auto& line : lines_of(reader)) lines.push_back(std::move(line));
            }
            REQUIRE(lines == expected);
        }
    }
}

TEST_CASE("nasty 65: one byte at a time is enough, and half a line is none") {
    LineReader reader;
    for (const char byte : std::string("half")) {
        reader.feed(std::string(1, byte));
        CHECK(!reader.next());
    }
    CHECK(reader.buffered() == 4);
    reader.feed("\n");
    CHECK(reader.next() == "half");
    CHECK(reader.buffered() == 0);
}

TEST_CASE(
    "nasty 65: a line at the limit is read, one byte more ends the session, after the lines before it") {
    LineReader reader(8);
    reader.feed("12345678\n");
    CHECK(reader.next() == "12345678");
    reader.feed("ok\n123456789");
    CHECK(reader.next() == "ok");
    CHECK(!reader.too_long());
    CHECK(!reader.next());
    CHECK(reader.too_long());
    reader.feed("more\n");
    CHECK(!reader.next());
    CHECK(reader.buffered() == 0);
}

TEST_CASE("nasty 65: 100 MB without a newline hold no more than the limit") {
    LineReader reader;
    const std::string piece(1 << 16, 'x');
    for (int i = 0; i < 1600; ++i) {
        reader.feed(piece);
        CHECK(!reader.next());
        REQUIRE(reader.buffered() <= vigil::protocol::kRequestLineLimit + piece.size());
    }
    CHECK(reader.too_long());
}

TEST_CASE("nasty 65: 1,000 pipelined lines wait inside until they are taken") {
    LineReader reader;
    std::string stream;
    for (int i = 0; i < 1000; ++i) stream += "line " + std::to_string(i) + "\n";
    reader.feed(stream);
    CHECK(reader.next() == "line 0");
    reader.feed("");
    CHECK(reader.next() == "line 1");
    CHECK(lines_of(reader).size() == 998);
}
