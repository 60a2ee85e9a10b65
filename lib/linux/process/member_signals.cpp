#include "linux/process/member_signals.hpp"

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <unordered_set>

#include "linux/process/process.hpp"

namespace vigil::os {
namespace {

constexpr int kMostRounds = 64;
constexpr std::chrono::milliseconds kMostTime{100};

/// One round after the other until nothing new is found; false: the bound came first.
struct Rounds {
    std::unordered_set<pid_t> done;
    std::vector<ProcessId> order;
    Result<void> outcome;

    bool run(const FindMembers& find, std::span<const int> signals) {
        const auto until = std::chrono::steady_clock::now() + kMostTime;
        for (int round = 0; round < kMostRounds; ++round) {
            bool found_new = false;
            for (const ProcessEntry& seen : find()) {
                if (seen.ended() || !done.insert(seen.pid).second) continue;
                found_new = true;
                order.push_back(seen.id());
                if (auto sent = signal_if_same(seen.id(), signals); !sent) outcome = std::move(sent);
            }
            if (!found_new) return true;
            // Two rounds at least, however slow they are: only the second can find nothing new.
            if (round > 0 && std::chrono::steady_clock::now() > until) return false;
        }
        return false;
    }
};

}  // namespace

Result<void> signal_if_same(const ProcessId& seen, std::span<const int> signals) {
    const auto pidfd = open_pidfd(seen.pid);
    if (!pidfd) {
        if (pidfd.error().code == ESRCH) return {};
        return Failure{pidfd.error()};
    }
    const auto now = read_process(seen.pid);
    if (!now || now->start_time != seen.start_time) return {};
    for (const int signal : signals) {
        auto sent = signal_process(pidfd->get(), signal);
        if (sent || sent.error().code == ESRCH) continue;
        Error error = sent.error();
        error.doing += " (pid " + std::to_string(seen.pid) + ", " + now->command + ")";
        return Failure{std::move(error)};
    }
    return {};
}

Result<void> signal_each(const FindMembers& find, std::span<const int> signals) {
    Rounds rounds;
    (void)rounds.run(find, signals);
    return rounds.outcome;
}

Result<Killed> kill_each(const FindMembers& find) {
    static constexpr int kStop[] = {SIGSTOP};
    static constexpr int kKill[] = {SIGKILL};
    Rounds rounds;
    // What stands still keeps its place under a limit on processes; killing part of a fork bomb would only
    // make room for the rest of it.
    if (!rounds.run(find, kStop)) return Killed::part;
    Result<void> outcome;
    for (const ProcessId& id : rounds.order)
        if (auto sent = signal_if_same(id, kKill); !sent) outcome = std::move(sent);
    if (!outcome) return Failure{outcome.error()};
    return Killed::all;
}

}  // namespace vigil::os
