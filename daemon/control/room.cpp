#include "control/room.hpp"

#include <algorithm>
#include <map>

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

}  // namespace

std::optional<std::size_t> who_makes_room(const std::vector<Seat>& seats, uid_t newcomer,
                                          core::TimePoint now) {
    const auto active = [](const Seat& seat) { return seat.last_active; };
    std::map<uid_t, std::size_t> idle_of_user;
    for (const Seat& seat : seats) idle_of_user[seat.uid] += seat.idle ? 1 : 0;
    const auto more = [](const auto& a, const auto& b) { return a.second < b.second; };
    const auto idlest = std::max_element(idle_of_user.begin(), idle_of_user.end(), more);
    if (idlest != idle_of_user.end() && idlest->second != 0)
        return least(
            seats, [&](const Seat& seat) { return seat.idle && seat.uid == idlest->first; }, active);
    const auto is_deaf = [&](const Seat& seat) {
        return seat.unread_since != core::kNever && now - seat.unread_since >= kDeafAfter;
    };
    if (const auto deaf = least(seats, is_deaf, [](const Seat& seat) { return seat.unread_since; }))
        return deaf;
    std::map<uid_t, std::size_t> of_user;
    for (const Seat& seat : seats) ++of_user[seat.uid];
    const auto most = std::max_element(of_user.begin(), of_user.end(), more);
    if (most == of_user.end() || most->first == newcomer || most->second < of_user[newcomer] + 2)
        return std::nullopt;
    return least(
        seats, [&](const Seat& seat) { return seat.uid == most->first; }, active);
}

}  // namespace vigil::daemon
