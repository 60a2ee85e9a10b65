// Layer linux. Everything one run of a task has started, as far as it can be known: the main process is
// leader of a session and of a process group of its own, and its children stay in them unless they leave.
// Whoever leaves the session (setsid) is not seen here.
//
// Owns the pidfd of the main process. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "linux/features.hpp"
#include "linux/process.hpp"

namespace vigil::os {

/// How closely to look. `group` is one system call; `session` also finds children that made process groups of
/// their own (job control of a shell), by reading all of /proc.
enum class Look : std::uint8_t { group, session };

struct Survivor {
    pid_t pid = 0;
    std::string command;  ///< raw, at most 15 bytes
};

class ProcessTree {
  public:
    /// `leader` is an own child, made by setsid(2) in it, or an adopted process that was.
    ProcessTree(pid_t leader, UniqueFd pidfd, Features features) noexcept;

    [[nodiscard]] pid_t leader() const noexcept { return leader_; }
    /// Becomes readable when the main process has ended (poll(2), EPOLLIN), and stays so for ever.
    [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }

    /// Reaps the main process once it has ended; nothing before. The same answer each time after.
    [[nodiscard]] const std::optional<ChildEnd>& end_of_leader();
    /// Whether the main process is reaped and nothing else is left. Final: once true, true for ever, and no
    /// signal is sent any more. Zombies that nobody has reaped count as left: reap_orphans() first.
    [[nodiscard]] bool empty(Look look = Look::group);
    /// As with Look::session, from a list of occupied_sessions() that was made after the main process had
    /// ended: one list serves many trees.
    [[nodiscard]] bool empty(const std::unordered_set<pid_t>& occupied);

    /// Sends to the main process; success where it has ended already, since there is nothing left to do.
    [[nodiscard]] Result<void> signal_leader(int signal);
    /// Sends to everything in the group (or session). EPERM when someone is left whom we may not signal.
    [[nodiscard]] Result<void> signal_all(int signal, Look look = Look::group);
    /// SIGKILL to everything the session holds. Where very many trees are to be killed at once, Look::group
    /// first and the session only for what is left keeps that from costing O(processes) each.
    [[nodiscard]] Result<void> kill_all(Look look = Look::session) { return signal_all(9, look); }
    /// SIGSTOP or SIGCONT to everything in the session.
    [[nodiscard]] Result<void> freeze(bool frozen);

    /// Who is left, zombies excepted, for messages. Reads all of /proc.
    [[nodiscard]] std::vector<Survivor> survivors() const;

  private:
    [[nodiscard]] Result<void> signal_members(int signal) const;

    pid_t leader_;
    UniqueFd pidfd_;
    Features features_;
    std::optional<ChildEnd> end_;
    bool gone_ = false;
};

}  // namespace vigil::os
