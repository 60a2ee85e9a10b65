#include "output/losses.hpp"

#include <doctest/doctest.h>

#include <string>

#include "output/tally_cell.hpp"

using namespace vigil::output;
using vigil::core::OutputStream;

TEST_CASE("Losses count bytes, and lines by their newlines") {
    Losses losses;
    CHECK(!losses.any());
    losses.add("one\ntwo\nthr");
    losses.add("ee\n");
    CHECK(losses == Losses{14, 3});
    losses -= Losses{10, 2};
    CHECK(losses == Losses{4, 1});
    losses += Losses{6, 0};
    CHECK(losses == Losses{10, 1});
}

TEST_CASE("What is taken off losses never makes them negative") {
    Losses losses{5, 1};
    losses -= Losses{9, 3};
    CHECK(losses == Losses{0, 0});
}

TEST_CASE("The mark of a loss says how much and why") {
    CHECK(loss_marker({45678, 123}, "No space left on device") ==
          "[vigil: 123 lines (45678 bytes) of output were dropped here: No space left on device]");
    CHECK(loss_marker({1, 1}, "x") == "[vigil: 1 line (1 byte) of output were dropped here: x]");
}

TEST_CASE("A tally adds up, and shows a fault of either stream") {
    TallyCell cell;
    cell.wrote(10);
    cell.wrote(5);
    cell.dropped({7, 2});
    cell.dropped({1, 0});
    cell.set_fault(OutputStream::err, "e");
    CHECK(cell.read().written == 15);
    CHECK(cell.read().dropped == 8);
    CHECK(cell.read().dropped_lines == 2);
    CHECK(cell.read().fault == "e");
    cell.set_fault(OutputStream::out, "o");
    CHECK(cell.read().fault == "o");
    cell.set_fault(OutputStream::out, "");
    CHECK(cell.read().fault == "e");
    cell.set_fault(OutputStream::err, "");
    CHECK(cell.read().fault.empty());
}
