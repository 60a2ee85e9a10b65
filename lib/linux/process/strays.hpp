// Layer linux. Processes of adopted runs that have left the group and the tree of their main process. Their
// parent is an init and not us, so unlike orphans they are found only by the mark in their environment, in a
// pass over /proc. That is for runs of a daemon before this one which have no cgroup, when they end or are
// ended; one pass serves all of them.
//
// Where processes are born all the time there is always one that cannot answer: it is in the middle of an
// exec, or ends. So a pass is whole as soon as everybody who was listed in it has answered, be it in a later
// pass. A child has its parent's mark, so a whole pass that shows none of a run says that there is none. It
// is never whole if somebody listed in it ended unanswered and may have had a child after that.
//
// Missed is who has cleared its environment, or whose environment we may not read.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "linux/process/process_table.hpp"

namespace vigil::os {

class Strays {
  public:
    using Clock = std::chrono::steady_clock;
    /// Asks a process for its mark. For tests to put another in its place.
    using Ask = std::function<EnvironmentAnswer(pid_t)>;
    /// Asked in one pass, at some 25 us each; twice as many whenever they were too few, until they suffice.
    static constexpr std::size_t kAskedAtOnce = 256;

    explicit Strays(Ask ask = {}, std::size_t asked_at_once = kAskedAtOnce);

    /// A pass over /proc. What was seen before is known by its first mark; of the others a bounded number is
    /// asked for theirs. False: nothing was done, since the last pass took long and was just now.
    bool refresh();
    /// The same, and everybody is asked: for the time before there is a loop to hold up.
    bool refresh_at_length();
    /// Whether there was a pass that is whole by now. Until then a question costs more than one pass.
    [[nodiscard]] bool is_acquainted() const noexcept { return whole_.look != 0; }
    /// Whether a whole pass that was begun at `when` or later shows that nothing of the run lives, and no
    /// later one shows anything of it.
    [[nodiscard]] bool none_since(Clock::time_point when, const std::string& invocation) const;
    /// The living processes of a run, in its tree or not; as of the last refresh.
    [[nodiscard]] std::vector<ProcessId> of(const std::string& invocation) const;
    struct Member {
        pid_t group = 0;  ///< or session
        ProcessId id;
        pid_t parent = 0;
    };
    /// The living processes in the group or the session of that number, marked or not; as of the last pass in
    /// which everybody could be listed.
    [[nodiscard]] std::span<const Member> in_group(pid_t leader) const;
    [[nodiscard]] bool has_group(pid_t leader) const { return !in_group(leader).empty(); }

  private:
    using Look = std::uint64_t;
    struct Pass {
        Look look = 0;
        Clock::time_point began{};
        bool spoiled = false;  ///< can never be whole
    };
    struct Known {
        std::uint64_t start_time = 0;
        Look unanswered_since = 0;  ///< the first look that waits for its answer
        Clock::time_point asked_at{};
        bool settled = false;  ///< it has answered, or nothing more is to be learned of it
        bool overdue = false;  ///< it has not, and is waited for no longer
        bool ending = false;
        std::string invocation{};  ///< empty: none
        bool alive = true;
        Look seen = 0;  ///< the look in which it was there last
    };
    struct Run {
        std::vector<ProcessId> living;  ///< as of the last look
        Look seen = 0;                  ///< the last look in which there was one
    };

    bool pass(std::size_t budget);
    void see(const ProcessEntry& entry);
    void take_listing();
    void ask(pid_t pid, Known& known, Look spoiled_if_it_ends);
    /// Again, since most can answer by now.
    void ask_again();
    /// In this look.
    [[nodiscard]] bool was_seen(pid_t pid) const;
    /// It has ended, and was listed last in that look.
    void settle_ended(Known& known, Look last);
    void spoil(Look first, Look last);
    void settle_passes();
    void sort_by_run();

    Ask ask_;
    std::size_t asked_at_once_;
    std::size_t bound_;  ///< how many are asked in the next pass
    std::size_t budget_ = 0;
    pid_t self_;
    std::unordered_map<pid_t, Known> known_;
    std::unordered_map<std::string, Run> runs_;
    std::vector<Member> members_;  ///< by group; who leads no session is there twice
    std::vector<Member> listing_;  ///< what becomes of them in this pass
    std::vector<Pass> open_;       ///< those that are not whole yet, from the oldest on
    Pass whole_;                   ///< the last that is
    Look looks_ = 0;
    Clock::time_point rest_until_{};
};

}  // namespace vigil::os
