#include "config/env_file.hpp"

#include "support.hpp"

using namespace vigil;
using namespace vigil::config;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs(std::string_view text) {
    auto read = parse_env_file(text);
    REQUIRE(read.ok());
    return *read;
}

std::size_t faulty_line(std::string_view text) {
    const auto read = parse_env_file(text);
    REQUIRE_FALSE(read.ok());
    return read.error().front().line;
}

}  // namespace

TEST_CASE("lines of NAME=VALUE are read, comments and blank lines are not") {
    CHECK(pairs("# head\nA=1\n\n  B=x y  \n\texport C=3\nD=\nE= z") ==
          Pairs{{"A", "1"}, {"B", "x y"}, {"C", "3"}, {"D", ""}, {"E", "z"}});
    CHECK(pairs("").empty());
}

TEST_CASE("a value is taken as it is: no expansion, no comment behind it") {
    CHECK(pairs("A=${B} $C #d=e") == Pairs{{"A", "${B} $C #d=e"}});
}

TEST_CASE("quotes keep blanks, and escapes count in double quotes only") {
    CHECK(pairs("A=' x '\nB=\" y \\\" \\\\ \\n \\t \\$ \\z\"\nC='\\n' # note\nD=a\"b") ==
          Pairs{{"A", " x "}, {"B", " y \" \\ \n \t $ \\z"}, {"C", "\\n"}, {"D", "a\"b"}});
}

TEST_CASE("the last of several values holds, at the place of the first") {
    CHECK(pairs("A=1\nB=2\nA=3") == Pairs{{"A", "3"}, {"B", "2"}});
}

TEST_CASE("files of other systems are read: byte order mark, carriage returns") {
    CHECK(pairs("\xEF\xBB\xBF"
                "A=1\r\nB=2\r\n") == Pairs{{"A", "1"}, {"B", "2"}});
}

TEST_CASE("faults carry their line and never the value") {
    CHECK(faulty_line("A=1\nsecret") == 2);
    CHECK(faulty_line("A=\"secret") == 1);
    CHECK(faulty_line("A='x' y") == 1);
    CHECK(faulty_line("1A=x") == 1);
    CHECK(faulty_line("A B=x") == 1);
    CHECK(faulty_line("A =x") == 1);
    CHECK(faulty_line("=x") == 1);
    CHECK(faulty_line(std::string_view("A=x\0y", 5)) == 1);
    const auto read = parse_env_file("secret\nA=\"secret\nB='secret' secret\n");
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().size() == 3);
    for (const EnvFileFault& fault : read.error()) CHECK_FALSE(mentions(fault.message, "secret"));
}

TEST_CASE("a file of very many lines is read in time") {
    std::string text;
    for (int i = 0; i < 200'000; ++i) text += "A" + std::to_string(i) + "=x\n";
    CHECK(pairs(text).size() == 200'000);
}
