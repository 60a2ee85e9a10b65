// Layer linux. Processes of adopted runs that have left the group and the tree of their main process. Their
// parent is an init and not us, so unlike orphans they are found only by the mark in their environment, in a
// pass over /proc. That is for runs of a daemon before this one which have no cgroup, when they end or are
// ended; one pass serves all of them.
//
// Missed is who has cleared its environment, or whose environment we may not read.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "linux/process_table.hpp"

namespace vigil::os {

class Strays {
  public:
    using Clock = std::chrono::steady_clock;

    /// A pass over /proc. What was seen before is known by its first mark; of the others a bounded number is
    /// asked for theirs, and in the first pass everybody, so that is better made before there is a loop to
    /// hold up. False: some are left for the next call, or nothing was done, since the last pass took long
    /// and was just now.
    bool refresh();
    /// Whether the table holds every stray that there was at `when`.
    [[nodiscard]] bool complete_since(Clock::time_point when) const noexcept {
        return looks_ != 0 && complete_at_ >= when;
    }
    /// The living processes of a run, in its tree or not; as of the last refresh.
    [[nodiscard]] std::vector<ProcessId> of(const std::string& invocation) const;
    /// Whether a living process is in the group or the session of that number; as of the last refresh.
    [[nodiscard]] bool has_group(pid_t leader) const { return groups_.contains(leader); }

  private:
    struct Known {
        std::uint64_t start_time = 0;
        Clock::time_point asked_since{};
        bool asked = false;        ///< and has answered
        std::string invocation{};  ///< empty: none
        bool alive = true;
        unsigned seen = 0;  ///< the look in which it was there last
    };
    /// False: it is in the middle of an exec, and is to be asked again.
    [[nodiscard]] static bool ask(pid_t pid, Known& known);
    std::unordered_map<pid_t, Known> known_;
    // Of the living.
    std::unordered_map<std::string, std::vector<ProcessId>> by_invocation_;
    std::unordered_set<pid_t> groups_;
    unsigned looks_ = 0;
    Clock::time_point complete_at_{};
    Clock::time_point rest_until_{};
};

}  // namespace vigil::os
