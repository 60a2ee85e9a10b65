// Layer linux. Orphans of tasks: processes whose parents have ended. We are their subreaper, so they become
// children of our main thread, where they are found without looking at any other process, and reaped.
//
// What an orphan belongs to is told by VIGIL_INVOCATION in its environment, read when it is first seen and
// kept: a later exec may clear it. Without one (or where it may not be read: a process that became another
// user), by its session and group, or since it was foreseen. Whoever has left the session and cleared its
// environment before its parent ended, unforeseen, belongs to nobody here: kill_all() ends it. So do the
// tasks of another vigild that was a task of ours, once that is gone.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "linux/process/member_signals.hpp"
#include "linux/process/process_table.hpp"
#include "linux/self/features.hpp"

namespace vigil::os {

/// All calls from the main thread, where the kernel puts orphans.
class Orphans {
  public:
    using Clock = std::chrono::steady_clock;
    /// Whether a child is somebody's main process, which he reaps himself, and so no orphan.
    using Claim = std::function<bool(pid_t)>;

    /// What the children that the main thread has already are.
    enum class Inherited : std::uint8_t {
        strangers,  ///< of whoever was this process before (a shell with jobs): reaped, and never signalled
        of_tasks,   ///< of a vigild that went on as this one: orphans like those that come later, unless
                    ///< claimed
    };
    Orphans(Features features, Claim claim, Inherited inherited = Inherited::strangers);

    struct Sweep {
        std::size_t reaped = 0;
        /// The bound was reached, or a process that is claimed stands in the way: sweep again later.
        bool more = false;
    };
    /// Reaps up to `max` ended orphans. A claimed child ends the sweep when it comes up again, because the
    /// kernel shows the same zombie until it is gone. Costs O(orphans) in the kernel.
    Sweep reap(std::size_t max);
    /// The same for children of all our threads: a main process may have made siblings of itself
    /// (CLONE_PARENT), which hang on the thread that spawned it. Costs O(children).
    Sweep reap_everywhere(std::size_t max);

    /// Looks who is there. Of those never seen before a bounded number is asked what it belongs to; false:
    /// some are left for the next call. So it is where the last look took long, which is not to happen again
    /// and again: nothing is done then. Without Features::proc_children a pass over /proc.
    bool refresh();
    /// Whether refresh() costs so little that it may be called for each run that ends.
    [[nodiscard]] bool cheap() const noexcept;
    /// Whether the table holds every orphan that there was at `when`.
    [[nodiscard]] bool complete_since(Clock::time_point when) const noexcept { return complete_at_ >= when; }
    /// The orphans of a run, zombies that are not reaped included; as of the last refresh.
    [[nodiscard]] std::vector<ProcessId> of(pid_t leader, const std::string& invocation);
    /// These were found below a run: should one become an orphan, it is that run's, whatever its environment
    /// says or hides by then.
    void foresee(const std::vector<ProcessEntry>& members, const std::string& invocation);
    /// The run is over. O(what is foreseen).
    void forget(const std::string& invocation);
    [[nodiscard]] std::size_t size() const noexcept { return known_.size(); }

    /// SIGKILL to every orphan and what is below it, whatever it belongs to. Once no run is left: then they
    /// are what escaped. Repeat until Killed::all and size() is 0, reaping in between.
    [[nodiscard]] Result<Killed> kill_all();

  private:
    struct Orphan {
        std::uint64_t start_time = 0;
        pid_t group = 0;
        pid_t session = 0;
        std::string invocation;
        unsigned seen = 0;  ///< the look in which it was there last
    };
    enum class Asked : std::uint8_t { alive, ended, unsure };

    /// Calls `visit` for each child until that says false.
    void for_each_child(const std::function<bool(pid_t)>& visit) const;
    [[nodiscard]] bool look();
    [[nodiscard]] Asked ask(pid_t pid);
    Sweep sweep(std::size_t max, int options);

    Features features_;
    Claim claim_;
    UniqueFd children_file_;
    std::unordered_set<pid_t> strangers_;
    std::unordered_map<pid_t, Orphan> known_;
    struct Foreseen {
        std::uint64_t start_time = 0;
        std::string invocation;
    };
    std::unordered_map<pid_t, Foreseen> foreseen_;
    unsigned looks_ = 0;
    /// Since when those are unsure that are in the middle of an exec.
    std::unordered_map<pid_t, Clock::time_point> unsure_;
    Clock::time_point complete_at_{};
    Clock::time_point rest_until_{};
};

}  // namespace vigil::os
