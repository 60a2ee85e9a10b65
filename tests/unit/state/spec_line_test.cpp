#include "state/spec_line.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vigil::state {
namespace {

const StoredSpec kSpec{
    .id = 12, .name = "api", .origin = SpecOrigin::added, .json = R"({"command":["a\tb"]})"};

std::string line_of(const StoredSpec& spec) {
    std::string line = spec_line(spec);
    line.pop_back();
    return line;
}

TEST_CASE("a line of a spec is read as it was written") {
    CHECK(spec_line(kSpec).ends_with("\n"));
    CHECK(parse_spec_line(line_of(kSpec)) == kSpec);
    StoredSpec other = kSpec;
    other.origin = SpecOrigin::config;
    other.json = "";
    CHECK(parse_spec_line(line_of(other)) == other);
}

TEST_CASE("a text with tabs in it is read whole") {
    StoredSpec spec = kSpec;
    spec.json = "a\tb\t";
    CHECK(parse_spec_line(line_of(spec)) == spec);
}

TEST_CASE("a line of a spec that is cut or changed at any byte is damaged") {
    const std::string line = line_of(kSpec);
    for (std::size_t at = 0; at < line.size(); ++at) {
        CHECK_FALSE(parse_spec_line(line.substr(0, at)));
        std::string changed = line;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        CHECK_FALSE(parse_spec_line(changed));
    }
}

TEST_CASE("an id that nobody can have counted to is damage") {
    StoredSpec spec = kSpec;
    spec.id = ~std::uint64_t{0};
    CHECK_FALSE(parse_spec_line(line_of(spec)));
    spec.id = 0;
    CHECK_FALSE(parse_spec_line(line_of(spec)));
}

TEST_CASE("the head of a store says the next id, and is of this version") {
    CHECK(parse_spec_head("vigil-specs\t1\t42") == 42);
    CHECK(spec_head(42) == "vigil-specs\t1\t42\n");
    for (const char* wrong :
         {"", "vigil-specs", "vigil-specs\t1", "vigil-specs\t2\t42", "vigil-specs\t1\t", "vigil-specs\t1\t4x",
          "vigil-specs\t1\t-1", "vigil-specs\t1\t18446744073709551615", "vigil\t1\t42"})
        CHECK_FALSE(parse_spec_head(wrong));
}

}  // namespace
}  // namespace vigil::state
