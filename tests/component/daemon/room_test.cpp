#include "control/room.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using vigil::core::TimePoint;
using vigil::daemon::Seat;
using vigil::daemon::who_makes_room;

namespace {

const TimePoint kNow = TimePoint(1000s);

Seat busy(uid_t uid, vigil::core::Duration ago = 0s) {
    return {.uid = uid, .last_active = kNow - ago};
}
Seat idle(uid_t uid, vigil::core::Duration ago) {
    return {.uid = uid, .idle = true, .last_active = kNow - ago};
}
Seat deaf(uid_t uid, vigil::core::Duration since) {
    return {.uid = uid, .last_active = kNow, .unread_since = kNow - since};
}

}  // namespace

TEST_CASE("whoever is idle longest makes room, whoever comes") {
    CHECK(who_makes_room({busy(1, 9s), idle(1, 2s), idle(1, 3s), deaf(1, 50s)}, 1, kNow) == 2);
}

TEST_CASE("nasty case 65: a flood of one user's idle clients does not push out another's") {
    CHECK(who_makes_room({idle(7, 1s), idle(7, 2s), idle(0, 9s)}, 7, kNow) == 1);
}

TEST_CASE(
    "nasty case 65: clients that never read make room, but not one that was given its answers a moment ago") {
    CHECK(who_makes_room({busy(1), deaf(1, 2s), deaf(1, 5s)}, 1, kNow) == 2);
    CHECK_FALSE(who_makes_room({busy(1), deaf(1, 100ms)}, 1, kNow).has_value());
}

TEST_CASE("nasty case 65: one user whose clients are all at work does not lock out another") {
    CHECK(who_makes_room({busy(7, 1s), busy(7, 3s), busy(7, 2s), busy(0, 9s)}, 0, kNow) == 1);
}

TEST_CASE(
    "nasty case 65: the one idle client of a user does not make room for another user's crowd at work") {
    CHECK_FALSE(who_makes_room({busy(7, 9s), busy(7, 8s), idle(0, 7s)}, 7, kNow).has_value());
    CHECK(who_makes_room({busy(7, 9s), deaf(7, 2s), idle(0, 7s)}, 7, kNow) == 1);
    CHECK_FALSE(who_makes_room({busy(7), deaf(0, 9s)}, 7, kNow).has_value());
}

TEST_CASE("a user does not push out others who have no more than himself, nor himself") {
    CHECK_FALSE(who_makes_room({busy(7), busy(0)}, 0, kNow).has_value());
    CHECK_FALSE(who_makes_room({busy(7), busy(7), busy(7)}, 7, kNow).has_value());
    CHECK_FALSE(who_makes_room({}, 0, kNow).has_value());
}
