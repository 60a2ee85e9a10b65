#include "recovery/run_ending.hpp"

#include <csignal>
#include <thread>

#include "linux/file/random_name.hpp"
#include "linux/process/marked_processes.hpp"
#include "linux/process/member_signals.hpp"
#include "linux/process/process.hpp"
#include "recovery/left_run.hpp"

namespace vigil::daemon {
namespace {

constexpr int kKill[] = {SIGKILL};
constexpr auto kPause = std::chrono::milliseconds(2);

}  // namespace

void RunEnding::add(const state::Found& found) {
    std::string invocation = os::to_hex(found.record.run.invocation);
    if (UniqueFd leader = kill_left_run(found, features_)) {
        leaders_.push_back({invocation, std::move(leader)});
        ++count_;
    }
    invocations_.insert(std::move(invocation));
}

void RunEnding::add(const std::string& invocation) {
    if (invocations_.insert(invocation).second) ++count_;
}

std::unordered_set<std::string> RunEnding::finish(std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    std::unordered_set<std::string> left;
    if (invocations_.empty()) return left;
    for (;;) {
        left.clear();
        for (const auto& [process, invocation] : os::find_invocations(invocations_)) {
            (void)os::signal_if_same(process.id(), kKill);
            left.insert(invocation);
        }
        for (const Leader& leader : leaders_)
            if (!os::has_ended(leader.pidfd.get())) left.insert(leader.invocation);
        if (left.empty() || std::chrono::steady_clock::now() >= until) return left;
        std::this_thread::sleep_for(kPause);
    }
}

}  // namespace vigil::daemon
