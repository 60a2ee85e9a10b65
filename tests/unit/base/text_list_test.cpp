#include "base/text_list.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using vigil::TextList;

TEST_CASE("a list gives the texts that it was made of, in their order, each of them a C string") {
    const TextList list{"/bin/echo", "", "two words", ""};
    CHECK(list.strings() == std::vector<std::string>{"/bin/echo", "", "two words", ""});
    CHECK(list.front() == "/bin/echo");
    CHECK(std::distance(list.begin(), list.end()) == 4);
    for (const std::string_view text : list) CHECK(text.data()[text.size()] == '\0');
    CHECK(TextList(list.strings()) == list);
    CHECK_FALSE(list.empty());
}

TEST_CASE("a list of nothing is empty, and one of an empty text is not") {
    CHECK(TextList().empty());
    const TextList nothing;
    CHECK(nothing.begin() == nothing.end());
    CHECK(TextList(std::vector<std::string>()) == TextList());
    CHECK_FALSE(TextList{""}.empty());
    CHECK(TextList{""}.front().empty());
    CHECK(TextList{"ab"} != TextList{"a", "b"});
}
