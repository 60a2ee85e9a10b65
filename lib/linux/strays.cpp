#include "linux/strays.hpp"

#include <unistd.h>

namespace vigil::os {
namespace {

/// After a pass there is none for so many times as long as it took.
constexpr int kRest = 5;

}  // namespace

bool Strays::refresh() {
    const auto before = Clock::now();
    if (before < rest_until_) return false;
    ++looks_;
    const pid_t self = ::getpid();
    for_each_process([&](const ProcessEntry& entry) {
        if (entry.pid == self) return;
        Known& known = known_[entry.pid];
        const bool fresh = known.seen == 0 || known.start_time != entry.start_time;
        known.start_time = entry.start_time;
        known.alive = !entry.ended();
        known.seen = looks_;
        // One that is in the middle of an exec shows no mark, and is asked once more by the next look.
        if (fresh) known.invocation.clear();
        if (!fresh || !known.alive) return;
        EnvironmentAnswer answer = read_environment_variable(entry.pid, "VIGIL_INVOCATION");
        if (answer.not_yet) known.seen = 0;
        if (answer.value) known.invocation = *std::move(answer.value);
    });
    std::erase_if(known_, [this](const auto& entry) { return entry.second.seen != looks_; });
    complete_at_ = before;
    rest_until_ = Clock::now() + kRest * (Clock::now() - before);
    return true;
}

std::vector<ProcessId> Strays::of(const std::string& invocation) const {
    std::vector<ProcessId> found;
    if (invocation.empty()) return found;
    for (const auto& [pid, known] : known_)
        if (known.alive && known.invocation == invocation) found.push_back({pid, known.start_time});
    return found;
}

}  // namespace vigil::os
