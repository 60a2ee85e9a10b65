#include "linux/process/strays.hpp"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "linux/process/rest.hpp"
#include "linux/self/processor_time.hpp"

namespace vigil::os {
namespace {

/// An exec or an exit shows no environment for some microseconds; one that is held up there is waited for no
/// longer than this.
constexpr std::chrono::seconds kUnansweredLimit{1};

EnvironmentAnswer ask_for_mark(pid_t pid) {
    return read_environment_variable(pid, "VIGIL_INVOCATION");
}

}  // namespace

Strays::Strays(Ask ask, std::size_t asked_at_once)
    : ask_(ask ? std::move(ask) : Ask(ask_for_mark)),
      asked_at_once_(asked_at_once),
      bound_(asked_at_once),
      self_(::getpid()) {}

bool Strays::refresh() {
    if (!pass(bound_)) return false;
    bound_ = budget_ != 0 ? asked_at_once_ : 2 * bound_;
    return true;
}

bool Strays::refresh_at_length() {
    return pass(std::numeric_limits<std::size_t>::max());
}

bool Strays::pass(std::size_t budget) {
    const auto before = Clock::now();
    if (before < rest_until_) return false;
    const auto worked_before = processor_time_of_thread();
    open_.push_back({.look = ++looks_, .began = before});
    listing_.clear();
    budget_ = budget;
    const auto look = [this](const ProcessEntry& entry) { see(entry); };
    bool listed = for_each_process(look);
    ask_again();
    // Who was forked during the pass, whose parent may have ended before its turn.
    listed = for_each_process(look, [this](pid_t pid) { return was_seen(pid); }) && listed;
    if (listed)
        take_listing();
    else
        spoil(looks_, looks_);
    for (auto& [pid, known] : known_)
        if (known.seen != looks_) settle_ended(known, looks_ - 1);
    std::erase_if(known_, [this](const auto& entry) { return entry.second.seen != looks_; });
    settle_passes();
    sort_by_run();
    const auto after = Clock::now();
    rest_until_ = after + rest_after(after - before, processor_time_of_thread() - worked_before);
    return true;
}

void Strays::see(const ProcessEntry& entry) {
    if (entry.pid == self_) return;
    const auto [place, added] = known_.try_emplace(entry.pid);
    Known& known = place->second;
    if (added || known.start_time != entry.start_time) {
        if (!added) settle_ended(known, looks_ - 1);
        known = {.start_time = entry.start_time, .unanswered_since = looks_};
    }
    known.seen = looks_;
    known.settled = known.settled || entry.of_kernel;
    known.alive = !entry.ended();
    if (!known.alive) return settle_ended(known, looks_ - 1);
    listing_.push_back({entry.group, entry.id(), entry.parent});
    if (entry.session != entry.group) listing_.push_back({entry.session, entry.id(), entry.parent});
    if (known.settled || budget_ == 0) return;
    --budget_;
    ask(entry.pid, known, looks_ - 1);
}

void Strays::take_listing() {
    std::sort(listing_.begin(), listing_.end(),
              [](const Member& one, const Member& other) { return one.group < other.group; });
    std::swap(members_, listing_);
}

/// Who is found to end now has had its last child, but may have had one since it was listed, unanswered, in
/// the looks up to `spoiled_if_it_ends`.
void Strays::ask(pid_t pid, Known& known, Look spoiled_if_it_ends) {
    EnvironmentAnswer answer = ask_(pid);
    if (!answer.not_yet && answer.ending) {
        known.alive = false;
        return settle_ended(known, spoiled_if_it_ends);
    }
    if (!answer.not_yet) {
        known.settled = true;
        if (answer.value) known.invocation = *std::move(answer.value);
        return;
    }
    if (answer.ending && !known.ending) {
        known.ending = true;
        spoil(known.unanswered_since, spoiled_if_it_ends);
        known.unanswered_since = spoiled_if_it_ends + 1;
    }
    const auto now = Clock::now();
    if (known.asked_at == Clock::time_point{}) known.asked_at = now;
    known.overdue = now - known.asked_at >= kUnansweredLimit;
}

void Strays::ask_again() {
    for (auto& [pid, known] : known_) {
        if (known.seen != looks_ || known.settled || known.overdue || known.asked_at == Clock::time_point{})
            continue;
        const auto now = read_process(pid);
        known.alive = now && now->start_time == known.start_time && !now->ended();
        known.alive ? ask(pid, known, looks_) : settle_ended(known, looks_);
    }
}

bool Strays::was_seen(pid_t pid) const {
    const auto known = known_.find(pid);
    return pid == self_ || (known != known_.end() && known->second.seen == looks_);
}

void Strays::settle_ended(Known& known, Look last) {
    if (!known.settled && !known.overdue && !known.ending) spoil(known.unanswered_since, last);
    known.settled = true;
}

void Strays::spoil(Look first, Look last) {
    for (Pass& pass : open_)
        if (first <= pass.look && pass.look <= last) pass.spoiled = true;
}

void Strays::settle_passes() {
    Look waited_for = looks_ + 1;
    for (const auto& [pid, known] : known_)
        if (!known.settled && !known.overdue) waited_for = std::min(waited_for, known.unanswered_since);
    for (const Pass& pass : open_)
        if (pass.look < waited_for && !pass.spoiled) whole_ = pass;
    std::erase_if(open_, [this](const Pass& pass) { return pass.spoiled || pass.look <= whole_.look; });
}

void Strays::sort_by_run() {
    for (auto& [invocation, run] : runs_) run.living.clear();
    for (const auto& [pid, known] : known_) {
        if (!known.alive || known.invocation.empty()) continue;
        Run& run = runs_[known.invocation];
        run.living.push_back({pid, known.start_time});
        run.seen = looks_;
    }
    std::erase_if(runs_, [this](const auto& entry) { return entry.second.seen < whole_.look; });
}

bool Strays::none_since(Clock::time_point when, const std::string& invocation) const {
    if (whole_.look == 0 || whole_.began < when) return false;
    const auto run = runs_.find(invocation);
    return run == runs_.end() || run->second.seen < whole_.look;
}

std::span<const Strays::Member> Strays::in_group(pid_t leader) const {
    const auto before = [](const Member& member, pid_t group) { return member.group < group; };
    const auto first = std::lower_bound(members_.begin(), members_.end(), leader, before);
    const auto last = std::lower_bound(first, members_.end(), leader + 1, before);
    return {first, last};
}

std::vector<ProcessId> Strays::of(const std::string& invocation) const {
    const auto found = runs_.find(invocation);
    return found == runs_.end() ? std::vector<ProcessId>() : found->second.living;
}

}  // namespace vigil::os
