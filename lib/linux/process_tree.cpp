#include "linux/process_tree.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>

#include "linux/process_table.hpp"

namespace vigil::os {

ProcessTree::ProcessTree(pid_t leader, UniqueFd pidfd, Features features) noexcept
    : leader_(leader), pidfd_(std::move(pidfd)), features_(features) {}

const std::optional<ChildEnd>& ProcessTree::end_of_leader() {
    if (!end_) end_ = reap(pidfd_.get(), features_);
    return end_;
}

bool ProcessTree::empty(Look look) {
    if (gone_) return true;
    if (!end_of_leader()) return false;
    // As long as anyone is in the group or session its number is not given to a new process, so once nobody
    // is, the question must not be asked again: the next holder of the number would be a stranger.
    if (!group_is_empty(leader_, pidfd_.get(), features_)) return false;
    if (look == Look::session && !processes_of_session(leader_).empty()) return false;
    gone_ = true;
    return true;
}

bool ProcessTree::empty(const std::unordered_set<pid_t>& occupied) {
    if (gone_) return true;
    if (!end_of_leader() || occupied.contains(leader_)) return false;
    gone_ = group_is_empty(leader_, pidfd_.get(), features_);
    return gone_;
}

Result<void> ProcessTree::signal_leader(int signal) {
    if (end_) return {};
    const auto sent = signal_process(pidfd_.get(), signal);
    if (!sent && sent.error().code != ESRCH) return sent;
    return {};
}

Result<void> ProcessTree::signal_all(int signal, Look look) {
    if (gone_) return {};
    // An adopted leader may have been reaped by another parent; its number then names nobody, or a stranger.
    const bool by_group = features_.signal_process_group || (!end_ && !has_ended(pidfd_.get()));
    Result<void> sent;
    if (by_group) {
        sent = signal_group(leader_, pidfd_.get(), signal, features_);
        if (!sent && sent.error().code == ESRCH) sent = {};
    }
    if (by_group && look == Look::group) return sent;
    const auto members = signal_members(signal);
    return sent.ok() ? members : sent;
}

/// One by one, each held by a pidfd and looked at again after that, so that none can have become another
/// process in between. Repeated while new ones appear, as a process may fork while it is being looked for;
/// bounded against one that does nothing else.
Result<void> ProcessTree::signal_members(int signal) const {
    constexpr int kMostRounds = 16;
    Result<void> outcome;
    std::vector<pid_t> done;
    for (int round = 0; round < kMostRounds; ++round) {
        bool found_new = false;
        for (const ProcessEntry& seen : processes_of_session(leader_)) {
            if (std::find(done.begin(), done.end(), seen.pid) != done.end()) continue;
            done.push_back(seen.pid);
            const auto pidfd = open_pidfd(seen.pid);
            if (!pidfd) continue;
            const auto now = read_process(seen.pid);
            if (!now || now->start_time != seen.start_time) continue;
            found_new = found_new || seen.state != 'Z';
            const auto sent = signal_process(pidfd->get(), signal);
            if (!sent && sent.error().code != ESRCH) outcome = sent;
        }
        if (!found_new) break;
    }
    return outcome;
}

Result<void> ProcessTree::freeze(bool frozen) {
    return signal_all(frozen ? SIGSTOP : SIGCONT, Look::session);
}

std::vector<Survivor> ProcessTree::survivors() const {
    std::vector<Survivor> left;
    if (gone_) return left;
    for (ProcessEntry& entry : processes_of_session(leader_))
        if (entry.state != 'Z' && entry.state != 'X') left.push_back({entry.pid, std::move(entry.command)});
    return left;
}

}  // namespace vigil::os
