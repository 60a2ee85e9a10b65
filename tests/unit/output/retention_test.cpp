#include "output/retention.hpp"

#include <doctest/doctest.h>

using namespace vigil;
using namespace vigil::output;

namespace {

std::vector<logs::Part> parts(std::initializer_list<std::uint64_t> sizes) {
    std::vector<logs::Part> made;
    for (const std::uint64_t size : sizes) {
        logs::Part part;
        part.number = made.size() + 1;
        part.size = size;
        made.push_back(part);
    }
    return made;
}

}  // namespace

TEST_CASE("Older files beyond the number to keep go, the oldest first") {
    CHECK(count_to_remove(parts({}), 3, {}) == 0);
    CHECK(count_to_remove(parts({1, 1, 1}), 3, {}) == 0);
    CHECK(count_to_remove(parts({1, 1, 1, 1, 1}), 3, {}) == 2);
    CHECK(count_to_remove(parts({1, 1}), 0, {}) == 2);
}

TEST_CASE("Older files beyond the bytes to keep go, the oldest first") {
    CHECK(count_to_remove(parts({5, 5, 5}), 9, 15) == 0);
    CHECK(count_to_remove(parts({5, 5, 5}), 9, 14) == 1);
    CHECK(count_to_remove(parts({5, 5, 5}), 1, 14) == 2);
    CHECK(count_to_remove(parts({1, 20}), 9, 10) == 2);
    // What is older than one that does not fit goes too: there are no holes.
    CHECK(count_to_remove(parts({1, 20, 1}), 9, 10) == 2);
    CHECK(count_to_remove(parts({0, 0}), 9, 0) == 0);
}

TEST_CASE("A file is cut at the last line that fits") {
    CHECK(choose_cut({}, 100, 100, 10, false) == Cut{100, false});
    CHECK(choose_cut({90, 120}, 150, 100, 10, false) == Cut{90, true});
    CHECK(choose_cut({90, 120}, 150, 100, 10, true) == Cut{90, true});
}

TEST_CASE("A line that does not fit begins the next file where it can") {
    CHECK(choose_cut({{}, 120}, 150, 100, 50, true) == Cut{0, true});
    CHECK(choose_cut({}, 150, 0, 50, true) == Cut{0, true});
}

TEST_CASE("A line that has begun is brought to its end within bounds") {
    CHECK(choose_cut({{}, 120}, 150, 100, 50, false) == Cut{120, true});
    CHECK(choose_cut({{}, 120}, 150, 100, 19, false) == Cut{119, true});
    CHECK(choose_cut({}, 130, 100, 50, false) == Cut{130, false});
}

TEST_CASE("nasty 51: a line without an end is cut at the limit") {
    CHECK(choose_cut({}, 151, 100, 50, false) == Cut{150, true});
    CHECK(choose_cut({}, 1, 0, 0, false) == Cut{0, true});
}
