// The ends of runs: exits, what is left of a tree, orphans that became ours.
#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "linux/process.hpp"
#include "linux/process_table.hpp"
#include "supervision/task_processes.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

/// Orphans reaped in one turn of the loop at most, so that a flood of them delays nobody.
constexpr std::size_t kOrphansPerSweep = 256;
/// Each exit of a main process raises SIGCHLD too, and a sweep costs O(children): it waits and serves many.
constexpr auto kSweepDelay = milliseconds(500);
/// How long the status of a main process may stay with a parent that does not reap it.
constexpr auto kUnreapedLimit = std::chrono::seconds(1);
/// Before the end of a run all that it still said is read, up to what the kernel lets a queue hold.
constexpr std::size_t kLastWords = 1024;
/// SIGCHLD in a row make no more looks than this, each of which costs O(children).
constexpr auto kLingerPause = milliseconds(5);

}  // namespace

void TaskProcesses::look_at_end(Run& run, core::Supervisor& supervisor, core::TimePoint now) {
    const bool leader_ended = run.tree->end_of_leader().has_value();
    if (leader_ended) watches_.remove(run.tree->pidfd());
    if (run.exit_told) return;
    const auto status = end_of_main(run, now);
    if (!status) return;

    // Its last words may explain the end, and READY=1 in the same turn comes before it.
    if (run.notify) (void)messages_.read_socket(run, kLastWords, supervisor, now);
    if (run.heartbeat_pipe) read_pipe(run, supervisor, now);
    run.exit_told = true;
    // After SIGKILL nothing of the session may be left, not only of the group; that takes a closer look.
    const bool empty = leader_ended && run.kills == 0 && run.tree->empty();
    const auto task = run.task;
    const core::event::Exited exited{run.generation, *status, empty};
    if (!empty) {
        linger(run);
        if (run.kills != 0) look_at_lingering_by(now);
    }
    supervisor.handle(task, exited, now);
}

std::optional<core::ExitStatus> TaskProcesses::end_of_main(Run& run, core::TimePoint now) {
    if (!run.other_main()) {
        const auto& end = run.tree->end_of_leader();
        return end ? std::optional(end->status) : std::nullopt;
    }
    const int pidfd = run.main_pidfd.get();
    if (!os::has_ended(pidfd)) return std::nullopt;
    // Readable for ever from now on; and while its own parent has not reaped it, without a status.
    watches_.remove(pidfd);
    if (const auto end = os::reap(pidfd, features_)) return end->status;
    if (!run.unreaped_since) {
        run.unreaped_since = now;
        linger(run);
    }
    return now - *run.unreaped_since < kUnreapedLimit ? std::nullopt : std::optional(core::ExitStatus{});
}

void TaskProcesses::linger(Run& run) {
    const std::pair entry(run.task, run.generation);
    if (std::find(lingering_.begin(), lingering_.end(), entry) == lingering_.end())
        lingering_.push_back(entry);
    look_at_lingering_by(std::chrono::steady_clock::now() + kLingerInterval);
}

void TaskProcesses::look_at_lingering_by(core::TimePoint when) {
    linger_at_ = std::min(linger_at_, when);
    linger_timer_.arm(linger_at_);
}

void TaskProcesses::look_at_lingering(core::Supervisor& supervisor, core::TimePoint now) {
    if (lingering_.empty() || now < linger_at_) return;
    linger_at_ = core::kNever;
    linger_looked_ = now;
    // A zombie of the group that nobody reaped counts as left, and it may be ours to reap.
    sweep_orphans();
    const auto looked_at = std::exchange(lingering_, {});
    for (const auto& [task, generation] : looked_at)
        if (Run* run = find(task, generation); run != nullptr && !run->exit_told)
            look_at_end(*run, supervisor, now);
    // One pass over /proc serves all of them.
    const auto occupied = os::occupied_sessions();
    for (const auto& [task, generation] : looked_at) {
        Run* run = find(task, generation);
        if (run == nullptr) continue;
        if (run->exit_told && run->tree->empty(occupied)) {
            supervisor.handle(task, core::event::TreeEmpty{generation}, now);
            continue;
        }
        // SIGKILL went to the group; once, what left the group for another one of the session gets it as
        // well.
        if (run->exit_told && run->kills == 1) {
            ++run->kills;
            (void)run->tree->kill_all(os::Look::session);
        }
        linger(*run);
    }
}

void TaskProcesses::child_ended() {
    if (!lingering_.empty()) {
        look_at_lingering_by(linger_looked_ + kLingerPause);
    } else {
        sweep_timer_.arm(std::chrono::steady_clock::now() + kSweepDelay);
    }
}

void TaskProcesses::sweep_orphans() {
    const auto sweep = os::reap_orphans(
        kOrphansPerSweep, [this](pid_t pid) { return main_pids_.contains(pid) || spawner_->owns(pid); });
    if (sweep.reaped != 0) log_->debug("reaped {} orphans", sweep.reaped);
    if (sweep.more) sweep_timer_.arm(std::chrono::steady_clock::now() + milliseconds(10));
}

void TaskProcesses::say_survivors(const Run& run) {
    std::string names;
    for (const os::Survivor& survivor : run.tree->survivors())
        names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", survivor.pid,
                             escape_for_display(survivor.command));
    if (!names.empty()) log_->error("{}: still there after SIGKILL: {}; trying again", run.spec->name, names);
}

}  // namespace vigil::daemon
