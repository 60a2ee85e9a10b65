// Layer linux. Everything one run of a task has started: in its cgroup, where it has one. Without a cgroup:
// its process group, what is found below its main process, and the orphans that say they are of this run.
//
// Without a cgroup it is missed who has left the session and cleared its environment (or become another user)
// before it became our orphan, unless signals went to the tree before that (orphans.hpp); with one, nobody
// who has not the right to leave a cgroup.
//
// Of an adopted run those who were orphans before are no children of ours: strays.hpp.
//
// Owns the pidfd of the main process and the cgroup. From the main thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/effect.hpp"
#include "linux/cgroup/cgroup.hpp"
#include "linux/process/member_signals.hpp"
#include "linux/process/orphans.hpp"
#include "linux/process/process.hpp"
#include "linux/process/strays.hpp"
#include "linux/self/features.hpp"

namespace vigil::os {

struct Survivor {
    pid_t pid = 0;
    std::string command;  ///< raw, at most 15 bytes
    char state = '?';     ///< D: in uninterruptible sleep, dies when what it waits for is over
};

class ProcessTree {
  public:
    struct Parts {
        pid_t leader = 0;        ///< an own child, made by setsid(2) in it, or an adopted process that was
        UniqueFd pidfd;          ///< none for one that ended and was reaped before we came
        std::string invocation;  ///< VIGIL_INVOCATION in its environment
        TaskCgroup cgroup;       ///< may be empty
        /// Of a main process that ended before we came.
        std::optional<ChildEnd> end = std::nullopt;
        /// Of an adopted run without a cgroup, whose processes may have left for another parent, and whose
        /// zombies may stay for as long as that likes; outlives the tree. Not null where there is neither
        /// pidfd nor cgroup.
        Strays* strays = nullptr;
    };
    /// `orphans` outlives the tree.
    ProcessTree(Parts parts, Features features, Orphans& orphans) noexcept;

    [[nodiscard]] pid_t leader() const noexcept { return leader_.pid; }
    [[nodiscard]] const std::string& invocation() const noexcept { return invocation_; }
    [[nodiscard]] const TaskCgroup& cgroup() const noexcept { return cgroup_; }
    /// Becomes readable when the main process has ended (poll(2), EPOLLIN), and stays so for ever.
    [[nodiscard]] int pidfd() const noexcept { return leader_.pidfd.get(); }
    /// Reaps the main process once it has ended; nothing before. The same answer each time after.
    [[nodiscard]] const std::optional<ChildEnd>& end_of_leader() { return end_of(leader_); }
    /// The main process is a zombie that its parent does not reap: it counts as ended, nobody knows how.
    void give_up_leader() {
        if (!leader_.end) leader_.end.emplace();
    }

    /// A second process of the run, spawned beside the main one; one at a time.
    void attach(pid_t pid, UniqueFd pidfd);
    [[nodiscard]] pid_t attached() const noexcept { return attached_ ? attached_->pid : 0; }
    [[nodiscard]] int attached_pidfd() const noexcept { return attached_ ? attached_->pidfd.get() : -1; }
    /// Reaps it once it has ended; nothing before, and where there is none.
    [[nodiscard]] std::optional<ChildEnd> end_of_attached();

    /// Whether the main process (and the attached one) is reaped and nothing else is left. Final: once true,
    /// true for ever, and no signal is sent any more. Without a cgroup, orphans of the run that nobody has
    /// reaped count as left (Orphans::reap), and where there are many orphans somebody has to bring them up
    /// to date before asking (Orphans::refresh). No pass over /proc where that can be avoided.
    [[nodiscard]] bool empty();

    /// Sends to the main process; success where it has ended already, since there is nothing left to do.
    [[nodiscard]] Result<void> signal_leader(int signal);
    /// Sends `signal`, then SIGCONT, so that a stopped process acts on it. EPERM where somebody may not be
    /// signalled; the others got it all the same. `main` is the process that was started.
    [[nodiscard]] Result<void> ask(core::effect::SignalTarget to, int signal);
    /// SIGKILL to everything. What is forked meanwhile may escape: look at empty(), and call again.
    [[nodiscard]] Result<Killed> kill_all();
    /// Stops everything, or lets it go on.
    [[nodiscard]] Result<void> freeze(bool frozen);

    /// Who is there now, zombies included; O(members).
    [[nodiscard]] std::vector<ProcessEntry> members();
    /// Who is left, zombies excepted, for messages.
    [[nodiscard]] std::vector<Survivor> survivors();

  private:
    struct Child {
        pid_t pid = 0;
        UniqueFd pidfd;
        std::optional<ChildEnd> end;
    };
    [[nodiscard]] const std::optional<ChildEnd>& end_of(Child& child);
    [[nodiscard]] bool no_orphan_left();
    [[nodiscard]] bool no_stray_left(bool group_empty);
    [[nodiscard]] std::span<const Strays::Member> left_in_group();
    [[nodiscard]] bool group_is_ours() const noexcept;
    [[nodiscard]] Result<void> signal_own_group(int signal);
    [[nodiscard]] std::vector<ProcessEntry> members_to_signal();
    [[nodiscard]] std::vector<ProcessEntry> members_of_cgroup() const;
    [[nodiscard]] std::vector<ProcessEntry> members_by_walk();
    void add_strays(std::vector<ProcessEntry>& found);

    Child leader_;
    std::unique_ptr<Child> attached_;  ///< apart: hardly any run has one
    std::string invocation_;
    TaskCgroup cgroup_;
    Features features_;
    Orphans* orphans_;
    Strays* strays_;
    Orphans::Clock::time_point ended_at_{};  ///< when the last of both was found to have ended
    std::vector<ProcessId> seen_in_group_;   ///< only without a pidfd of the main process
    bool foreseen_ = false;
    bool gone_ = false;
};

}  // namespace vigil::os
