#include "control/room.hpp"

#include <algorithm>

namespace vigil::daemon {
namespace {

/// The one with the least of `key` among those that fit.
template <typename Fits, typename Key>
std::optional<std::size_t> least(const std::vector<Seat>& seats, Fits fits, Key key) {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < seats.size(); ++i)
        if (fits(seats[i]) && (!found || key(seats[i]) < key(seats[*found]))) found = i;
    return found;
}

struct User {
    uid_t uid = 0;
    std::size_t seats = 0;
};

User& user_in(std::vector<User>& users, uid_t uid) {
    const auto found =
        std::find_if(users.begin(), users.end(), [&](const User& user) { return user.uid == uid; });
    return found != users.end() ? *found : users.emplace_back(User{.uid = uid});
}

}  // namespace

std::optional<std::size_t> who_makes_room(const std::vector<Seat>& seats, uid_t newcomer,
                                          core::TimePoint now) {
    if (seats.empty()) return std::nullopt;
    std::vector<User> users;
    for (const Seat& seat : seats) ++user_in(users, seat.uid).seats;
    const std::size_t own = user_in(users, newcomer).seats;
    const auto fewer = [](const User& a, const User& b) { return a.seats < b.seats; };
    const User& richest = *std::max_element(users.begin(), users.end(), fewer);
    // Among equals everybody makes room for himself.
    const uid_t from = richest.seats > own ? richest.uid : newcomer;

    const auto is_idle = [&](const Seat& seat) { return seat.uid == from && seat.idle; };
    const auto is_deaf = [&](const Seat& seat) {
        return seat.uid == from && seat.unread_since != core::kNever && now - seat.unread_since >= kDeafAfter;
    };
    const auto active = [](const Seat& seat) { return seat.last_active; };
    if (const auto idle = least(seats, is_idle, active)) return idle;
    if (const auto deaf = least(seats, is_deaf, [](const Seat& seat) { return seat.unread_since; }))
        return deaf;
    if (richest.seats < own + 2) return std::nullopt;
    return least(
        seats, [&](const Seat& seat) { return seat.uid == from; }, active);
}

}  // namespace vigil::daemon
