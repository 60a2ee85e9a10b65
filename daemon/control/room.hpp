// Layer daemon. Which client makes room when all seats are taken and another one comes.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "core/time.hpp"

namespace vigil::daemon {

/// A client with answers to read has this long to read some of them before he counts as deaf.
inline constexpr core::Duration kDeafAfter = std::chrono::seconds(1);

/// A client as far as it matters here.
struct Seat {
    uid_t uid = 0;
    bool idle = false;  ///< has asked for nothing that he still waits for
    core::TimePoint last_active{};
    core::TimePoint unread_since =
        core::kNever;  ///< has taken nothing of what there is to read; kNever: all is read
};

/// By place: a client of the user who has most seats, or of the newcomer's own where nobody has more: the one
/// that is idle longest; else the one that has been deaf longest; else, where that user has at least two
/// seats more than the newcomer's, the one that was active longest ago. So nobody locks others out, whatever
/// his clients do, and nobody's clients make room for those of a user who has more. Nothing: all seats are
/// well used, and the newcomer has to come again.
[[nodiscard]] std::optional<std::size_t> who_makes_room(const std::vector<Seat>& seats, uid_t newcomer,
                                                        core::TimePoint now);

}  // namespace vigil::daemon
