#include "base/nearest.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

using vigil::nearest_word;

namespace {

constexpr std::array<std::string_view, 7> kKeys{"timeout",      "base_delay", "max_delay", "max_attempts",
                                                "stable_after", "policy",     "to"};

}  // namespace

TEST_CASE("a misspelt word is answered with the word that was meant") {
    CHECK(nearest_word("timeuot", kKeys) == "timeout");
    CHECK(nearest_word("max_attemps", kKeys) == "max_attempts");
    CHECK(nearest_word("basedelay", kKeys) == "base_delay");
    CHECK(nearest_word("Policy", kKeys) == "policy");
    CHECK(nearest_word("ot", kKeys) == "to");
}

TEST_CASE("a word that resembles none is answered with nothing") {
    CHECK(nearest_word("colour", kKeys).empty());
    CHECK(nearest_word("xy", kKeys).empty());
    CHECK(nearest_word("", kKeys).empty());
    CHECK(nearest_word("timeout", {}).empty());
}

TEST_CASE("the first of two equally near words is taken") {
    constexpr std::array<std::string_view, 2> kPair{"cat", "car"};
    CHECK(nearest_word("cab", kPair) == "cat");
}

TEST_CASE("an exact word is its own nearest, and one neighbour swap counts as one edit") {
    CHECK(nearest_word("max_delay", kKeys) == "max_delay");
    constexpr std::array<std::string_view, 1> kOne{"abc"};
    CHECK(nearest_word("acb", kOne) == "abc");
    CHECK(nearest_word("cba", kOne).empty());
}

TEST_CASE("a word far longer than any key costs nothing and finds nothing") {
    CHECK(nearest_word(std::string(1 << 20, 'a'), kKeys).empty());
}

TEST_CASE("bytes beyond ASCII are compared as they are") {
    constexpr std::array<std::string_view, 1> kOne{"na\xC3\xAFve"};
    CHECK(nearest_word("naive", kOne).empty());
    CHECK(nearest_word("na\xC3\xAF"
                       "fe",
                       kOne) == "na\xC3\xAFve");
}
