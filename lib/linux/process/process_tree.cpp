#include "linux/process/process_tree.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>
#include <utility>

#include "base/check.hpp"

namespace vigil::os {
namespace {

Result<void> unless_gone(Result<void> sent) {
    if (!sent && sent.error().code == ESRCH) return {};
    return sent;
}

}  // namespace

ProcessTree::ProcessTree(Parts parts, Features features, Orphans& orphans) noexcept
    : leader_{parts.leader, std::move(parts.pidfd), parts.end},
      invocation_(std::move(parts.invocation)),
      cgroup_(std::move(parts.cgroup)),
      features_(features),
      orphans_(&orphans),
      strays_(parts.strays) {
    VIGIL_CHECK(leader_.pidfd || cgroup_ || strays_ != nullptr, "a run that nothing would find");
}

const std::optional<ChildEnd>& ProcessTree::end_of(Child& child) {
    if (child.end) return child.end;
    child.end = reap(child.pidfd.get(), features_);
    if (child.end) ended_at_ = Orphans::Clock::now();
    return child.end;
}

void ProcessTree::attach(pid_t pid, UniqueFd pidfd) {
    attached_ = std::make_unique<Child>(Child{pid, std::move(pidfd), {}});
}

std::optional<ChildEnd> ProcessTree::end_of_attached() {
    return attached_ ? end_of(*attached_) : std::nullopt;
}

bool ProcessTree::empty() {
    if (gone_) return true;
    if (!end_of_leader() || (attached_ && !end_of(*attached_))) return false;
    if (cgroup_) {
        gone_ = !cgroup_.populated();
    } else if (!leader_.pidfd) {
        // Of a main process that was gone before we came the number may be a stranger's by now.
        gone_ = left_in_group().empty() && no_orphan_left() && no_stray_left(true);
    } else {
        // As long as anyone is in the group or session its number is not given to a new process, so once
        // nobody is, the question must not be asked again: the next holder of the number would be a stranger.
        const bool nobody = group_is_empty(leader_.pid, leader_.pidfd.get(), features_);
        gone_ = no_orphan_left() && (strays_ != nullptr ? no_stray_left(nobody) : nobody);
    }
    if (gone_ && foreseen_) orphans_->forget(invocation_);
    return gone_;
}

/// What is left of a run whose main process was gone before we came: no pidfd stands for its group. That the
/// number is the run's still is shown by the mark of one who is in it, or by one who was in it before. As one
/// pass over /proc shows it, which serves all runs.
std::span<const Strays::Member> ProcessTree::left_in_group() {
    if (::kill(-leader_.pid, 0) != 0 && errno == ESRCH) return {};
    (void)strays_->refresh();
    std::span<const Strays::Member> found = strays_->in_group(leader_.pid);
    const std::vector<ProcessId> marked = strays_->of(invocation_);
    const auto is_among = [](const std::vector<ProcessId>& known, const ProcessId& id) {
        return std::find(known.begin(), known.end(), id) != known.end();
    };
    const bool ours = std::any_of(found.begin(), found.end(), [&](const Strays::Member& member) {
        return is_among(seen_in_group_, member.id) || is_among(marked, member.id);
    });
    if (!ours) found = {};
    seen_in_group_.clear();
    for (const Strays::Member& member : found) seen_in_group_.push_back(member.id);
    return found;
}

/// A process gives its children to us before it can be reaped, so a table that is younger than the reaping of
/// the last of them shows all that is left.
bool ProcessTree::no_orphan_left() {
    const bool young = orphans_->complete_since(ended_at_);
    if (young && orphans_->of(leader_.pid, invocation_).empty()) return true;
    if (!orphans_->cheap() || !orphans_->refresh()) return false;
    return orphans_->of(leader_.pid, invocation_).empty();
}

/// As one pass over /proc shows it, which serves all runs that are asked for.
bool ProcessTree::no_stray_left(bool group_empty) {
    const auto nothing_left = [&] {
        return strays_->none_since(ended_at_, invocation_) &&
               (group_empty || !strays_->has_group(leader_.pid));
    };
    return nothing_left() || (strays_->refresh() && nothing_left());
}

/// Without a pidfd that stands for the group, its number is safe as long as the leader is not reaped.
bool ProcessTree::group_is_ours() const noexcept {
    if (!leader_.pidfd) return false;
    return features_.signal_process_group || (!leader_.end && !has_ended(leader_.pidfd.get()));
}

Result<void> ProcessTree::signal_leader(int signal) {
    if (leader_.end) return {};
    return unless_gone(signal_process(leader_.pidfd.get(), signal));
}

Result<void> ProcessTree::signal_own_group(int signal) {
    if (!group_is_ours()) return {};
    return unless_gone(signal_group(leader_.pid, leader_.pidfd.get(), signal, features_));
}

Result<void> ProcessTree::ask(core::effect::SignalTarget to, int signal) {
    using core::effect::SignalTarget;
    if (gone_) return {};
    if (to == SignalTarget::main) {
        auto sent = signal_leader(signal);
        (void)signal_leader(SIGCONT);
        return sent;
    }
    Result<void> sent;
    const bool by_group = group_is_ours();
    if (to != SignalTarget::outside_group && by_group) {
        sent = signal_own_group(signal);
        (void)signal_own_group(SIGCONT);
    }
    if (to == SignalTarget::group && by_group) return sent;
    const bool in_group = to == SignalTarget::group || (to == SignalTarget::tree && !by_group);
    const bool outside = to != SignalTarget::group;
    const int both[] = {signal, SIGCONT};
    auto others = signal_each(
        [&] {
            auto found = members_to_signal();
            std::erase_if(found, [&](const ProcessEntry& entry) {
                return entry.group == leader_.pid ? !in_group : !outside;
            });
            return found;
        },
        both);
    return sent.ok() ? others : sent;
}

Result<Killed> ProcessTree::kill_all() {
    if (gone_) return Killed::all;
    if (cgroup_) {
        const auto killed = cgroup_.kill();
        // Root's tasks may leave their cgroup; at least the main process is ended wherever it is.
        auto main = signal_leader(SIGKILL);
        if (attached_ && !attached_->end) (void)signal_process(attached_->pidfd.get(), SIGKILL);
        if (killed && main) return Killed::all;
        if (killed) return Failure{main.error()};
    }
    const auto found = members_to_signal();
    const auto is_leader = [&](const ProcessEntry& entry) { return entry.pid == leader_.pid; };
    const bool alone = std::all_of(found.begin(), found.end(), is_leader);
    // One system call for what most tasks are. The group gets it in any case: the kernel lets no fork within
    // a group slip through.
    Result<Killed> rest =
        alone ? Result<Killed>(Killed::all) : kill_each([this] { return members_to_signal(); });
    const auto group = rest && *rest == Killed::part ? Result<void>() : signal_own_group(SIGKILL);
    if (!rest) return rest;
    if (!group) return Failure{group.error()};
    return rest;
}

Result<void> ProcessTree::freeze(bool frozen) {
    if (gone_) return {};
    if (cgroup_) return cgroup_.freeze(frozen);
    const int one[] = {frozen ? SIGSTOP : SIGCONT};
    return signal_each([this] { return members(); }, one);
}

std::vector<ProcessEntry> ProcessTree::members() {
    if (gone_) return {};
    return cgroup_ ? members_of_cgroup() : members_by_walk();
}

/// Signals make orphans.
std::vector<ProcessEntry> ProcessTree::members_to_signal() {
    auto found = members();
    if (!cgroup_ && found.size() > 1) {
        orphans_->foresee(found, invocation_);
        foreseen_ = true;
    }
    return found;
}

/// Who is listed before and after he was looked at was a member when looked at.
std::vector<ProcessEntry> ProcessTree::members_of_cgroup() const {
    std::vector<ProcessEntry> found;
    for (const pid_t pid : cgroup_.members())
        if (auto entry = read_process(pid)) found.push_back(*std::move(entry));
    if (found.empty()) return found;
    auto still = cgroup_.members();
    std::sort(still.begin(), still.end());
    std::erase_if(found, [&](const ProcessEntry& entry) {
        return !std::binary_search(still.begin(), still.end(), entry.pid);
    });
    return found;
}

std::vector<ProcessEntry> ProcessTree::members_by_walk() {
    // What is not known of yet is found by the next look.
    (void)orphans_->refresh();
    std::vector<ProcessId> roots = orphans_->of(leader_.pid, invocation_);
    if (!leader_.end && !has_ended(leader_.pidfd.get())) roots.push_back({leader_.pid, 0});
    if (attached_ && !attached_->end) roots.push_back({attached_->pid, 0});
    if (!leader_.pidfd) {
        const auto left = left_in_group();
        for (const Strays::Member& member : left) {
            const auto is_parent = [&](const Strays::Member& other) { return other.id.pid == member.parent; };
            if (std::none_of(left.begin(), left.end(), is_parent)) roots.push_back(member.id);
        }
    }
    std::vector<ProcessEntry> found = processes_below(roots, features_);
    if (strays_ != nullptr) add_strays(found);
    return found;
}

/// And what is below them, each once.
void ProcessTree::add_strays(std::vector<ProcessEntry>& found) {
    (void)strays_->refresh();
    std::unordered_set<pid_t> there;
    for (const ProcessEntry& entry : found) there.insert(entry.pid);
    std::vector<ProcessId> strays = strays_->of(invocation_);
    std::erase_if(strays, [&](const ProcessId& id) { return there.contains(id.pid); });
    for (ProcessEntry& entry : processes_below(strays, features_))
        if (there.insert(entry.pid).second) found.push_back(std::move(entry));
}

std::vector<Survivor> ProcessTree::survivors() {
    std::vector<Survivor> left;
    for (ProcessEntry& entry : members())
        if (!entry.ended()) left.push_back({entry.pid, std::move(entry.command), entry.state});
    return left;
}

}  // namespace vigil::os
