#include "linux/strays.hpp"

#include <unistd.h>

#include <limits>
#include <utility>

namespace vigil::os {
namespace {

/// After a pass there is none for so many times as long as it took.
constexpr int kRest = 5;
/// Processes asked for their mark in one pass, at some 25 us each; in the first one everybody is.
constexpr std::size_t kAskedAtOnce = 256;

/// An exec shows no environment for some microseconds; one that is held up there is taken as it is.
constexpr std::chrono::seconds kExecLimit{1};

}  // namespace

bool Strays::refresh() {
    const auto before = Clock::now();
    if (before < rest_until_) return false;
    std::size_t budget = looks_++ == 0 ? std::numeric_limits<std::size_t>::max() : kAskedAtOnce;
    bool complete = true;
    const pid_t self = ::getpid();
    groups_.clear();
    for_each_process([&](const ProcessEntry& entry) {
        if (entry.pid == self || entry.of_kernel) return;
        const auto [place, added] = known_.try_emplace(entry.pid);
        Known& known = place->second;
        if (added || known.start_time != entry.start_time)
            known = {.start_time = entry.start_time, .asked_since = before};
        known.alive = !entry.ended();
        known.seen = looks_;
        if (known.alive) groups_.insert({entry.group, entry.session});
        if (known.asked || !known.alive) return;
        if (budget == 0) {
            complete = false;
            return;
        }
        --budget;
        complete = ask(entry.pid, known) && complete;
    });
    std::erase_if(known_, [this](const auto& entry) { return entry.second.seen != looks_; });
    by_invocation_.clear();
    for (const auto& [pid, known] : known_)
        if (known.alive && !known.invocation.empty())
            by_invocation_[known.invocation].push_back({pid, known.start_time});
    if (complete) complete_at_ = before;
    rest_until_ = Clock::now() + kRest * (Clock::now() - before);
    return complete;
}

bool Strays::ask(pid_t pid, Known& known) {
    EnvironmentAnswer answer = read_environment_variable(pid, "VIGIL_INVOCATION");
    known.asked = !answer.not_yet || Clock::now() - known.asked_since >= kExecLimit;
    if (answer.value) known.invocation = *std::move(answer.value);
    return known.asked;
}

std::vector<ProcessId> Strays::of(const std::string& invocation) const {
    const auto found = by_invocation_.find(invocation);
    return found == by_invocation_.end() ? std::vector<ProcessId>() : found->second;
}

}  // namespace vigil::os
