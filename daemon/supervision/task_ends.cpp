// The ends of runs: commands that stop them, exits, what is left of a tree, orphans that became ours.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "linux/process/process.hpp"
#include "linux/self/signals.hpp"
#include "supervision/task_processes.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

/// Orphans reaped in one turn of the loop at most, so that a flood of them delays nobody.
constexpr std::size_t kOrphansPerSweep = 512;
constexpr auto kNextSlice = milliseconds(5);
/// Each exit of a main process raises SIGCHLD too, and a sweep costs O(orphans): it waits and serves many,
/// and until then no SIGCHLD is heard of.
constexpr auto kSweepDelay = milliseconds(500);
/// How long the status of a main process may stay with a parent that does not reap it.
constexpr auto kUnreapedLimit = std::chrono::seconds(1);
/// The same for an adopted one, whose parent is an init that may take its time; and where it was told to end,
/// which nobody is to wait for.
constexpr auto kAdoptedUnreapedLimit = std::chrono::seconds(5);
constexpr auto kToldUnreapedLimit = milliseconds(100);
/// Before the end of a run all that it still said is read, up to what the kernel lets a queue hold.
constexpr std::size_t kLastWords = 1024;
/// SIGCHLD in a row make no more looks than this, each of which costs O(orphans).
constexpr auto kLingerPause = milliseconds(5);
/// Siblings that a main process made of itself (CLONE_PARENT) are rare and cost O(children) to find.
constexpr auto kEverywhereInterval = std::chrono::seconds(5);
/// What the end of orphans at our own end may take.
constexpr auto kOrphansLimit = std::chrono::seconds(1);

}  // namespace

void TaskProcesses::look_at_end(Run& run, core::Supervisor& supervisor, core::TimePoint now) {
    const bool leader_ended = run.tree->end_of_leader().has_value();
    // That of a zombie which is not ours to reap stays readable.
    if (leader_ended || (run.adopted && os::has_ended(run.tree->pidfd()))) watches_.remove(run.tree->pidfd());
    if (run.exit_told) return;
    const auto end = end_of_main(run, now);
    if (!end) return;

    // Its last words may explain the end, and READY=1 in the same turn comes before it.
    if (run.notify) (void)messages_.read_socket(run, kLastWords, supervisor, now);
    if (run.heartbeat_pipe) read_pipe(run, supervisor, now);
    run.exit_told = true;
    core::event::Exited exited{.generation = run.generation, .status = end->status, .usage = end->usage};
    exited.tree_empty = leader_ended && run.stop_command != Run::StopCommand::on_its_way && run.tree->empty();
    exited.out_of_memory = end->status.kind == core::ExitStatus::Kind::signal &&
                           end->status.signal == SIGKILL && !run.own_kill &&
                           oom_.killed(run.identity.main_pid, run.tree->cgroup());
    if (!exited.tree_empty) {
        linger(run);
        if (run.kills != 0) look_at_lingering_by(now);
    }
    supervisor.handle(run.task, exited, now);
}

std::optional<os::ChildEnd> TaskProcesses::end_of_main(Run& run, core::TimePoint now) {
    const bool leader = !run.other_main();
    if (leader && !run.adopted) return run.tree->end_of_leader();
    const int pidfd = leader ? run.tree->pidfd() : run.main_pidfd.get();
    if (!os::has_ended(pidfd)) return std::nullopt;
    // Readable for ever from now on; and while its own parent has not reaped it, without a status.
    watches_.remove(pidfd);
    if (auto end = leader ? run.tree->end_of_leader() : os::reap(pidfd, features_)) return end;
    if (!run.unreaped_since) {
        run.unreaped_since = now;
        linger(run);
    }
    const core::Duration limit = !run.adopted      ? kUnreapedLimit
                                 : run.told_to_end ? core::Duration(kToldUnreapedLimit)
                                                   : kAdoptedUnreapedLimit;
    if (now - *run.unreaped_since < limit) return std::nullopt;
    if (leader) run.tree->give_up_leader();
    return os::ChildEnd{};
}

void TaskProcesses::run_stop_command(const core::effect::RunStopCommand& effect) {
    Run* run = find(effect.task, effect.generation);
    if (run == nullptr || !run->tree || run->stop_command != Run::StopCommand::none) return;
    os::Auxiliary command{.command = effect.spec->stop->command,
                          .invocation = run->tree->invocation(),
                          .variables = {{"VIGIL_MAIN_PID", std::to_string(effect.main_pid)}},
                          .cgroup = {}};
    if (const os::TaskCgroup& cgroup = run->tree->cgroup()) {
        auto fd = cgroup.open();
        if (!fd) {
            log_->warn("{}: stop.command: {}", run->spec->name, fd.error().text());
            dropped_stop_commands_.emplace_back(run->task, run->generation);
            return look_at_lingering_by(std::chrono::steady_clock::now());
        }
        command.cgroup = std::move(fd).value();
    }
    run->stop_command = Run::StopCommand::on_its_way;
    spawner_->submit({.task = run->task,
                      .generation = run->generation,
                      .spec = run->spec,
                      .auxiliary = std::move(command)});
}

void TaskProcesses::cancel_stop_command(Run& run) {
    if (run.stop_command != Run::StopCommand::on_its_way) return;
    if (spawner_->cancel(run.task, run.generation) != os::Spawner::Cancelled::dropped) return;
    run.stop_command = Run::StopCommand::ended;
    dropped_stop_commands_.emplace_back(run.task, run.generation);
    look_at_lingering_by(std::chrono::steady_clock::now());
}

void TaskProcesses::stop_command_arrived(Run& run, os::SpawnOutcome outcome, core::Supervisor& supervisor,
                                         core::TimePoint now) {
    if (outcome.failure) {
        run.stop_command = Run::StopCommand::ended;
        if (run.kills == 0)
            log_->warn("{}: stop.command: {}", run.spec->name,
                       core::explain({core::cause::SpawnFailed{std::move(*outcome.failure)}}));
        supervisor.handle(run.task, core::event::StopCommandEnded{run.generation, false}, now);
        return;
    }
    run.stop_command = Run::StopCommand::running;
    run.tree->attach(outcome.pid, std::move(outcome.pidfd));
    main_pids_.emplace(outcome.pid, run.task);
    watch(run, run.tree->attached_pidfd(), os::WatchKind::stop_command);
    // What it was to stop may have been killed while it was being made.
    if (run.kills != 0) kill(run, false);
}

void TaskProcesses::look_at_stop_command(Run& run, core::Supervisor& supervisor, core::TimePoint now) {
    if (run.stop_command != Run::StopCommand::running) return;
    const auto end = run.tree->end_of_attached();
    if (!end) return;
    run.stop_command = Run::StopCommand::ended;
    watches_.remove(run.tree->attached_pidfd());
    main_pids_.erase(run.tree->attached());
    const bool done = end->status == core::ExitStatus{.kind = core::ExitStatus::Kind::code};
    if (!done && run.kills == 0)
        log_->warn("{}: stop.command: {}", run.spec->name, core::explain(core::cause_of(end->status)));
    if (run.exit_told) look_at_lingering_by(now);
    supervisor.handle(run.task, core::event::StopCommandEnded{run.generation, done}, now);
}

void TaskProcesses::linger(Run& run) {
    const std::pair entry(run.task, run.generation);
    if (std::find(lingering_.begin(), lingering_.end(), entry) == lingering_.end())
        lingering_.push_back(entry);
    look_at_lingering_by(std::chrono::steady_clock::now() + kLingerInterval);
    // Whoever ends from now on is heard of; and who has ended already may be the one that is waited for.
    if (os::take_child_signal(child_signals_)) look_at_lingering_by(linger_looked_ + kLingerPause);
}

void TaskProcesses::look_at_lingering_by(core::TimePoint when) {
    linger_at_ = std::min(linger_at_, when);
    linger_timer_.arm(linger_at_);
}

void TaskProcesses::look_at_lingering(core::Supervisor& supervisor, core::TimePoint now) {
    if (lingering_.empty() || now < linger_at_) return;
    linger_at_ = core::kNever;
    linger_looked_ = now;
    // A zombie of the group that nobody reaped counts as left, and it may be ours to reap. One look at the
    // orphans serves all runs.
    sweep_orphans();
    (void)orphans_.refresh();
    const auto looked_at = std::exchange(lingering_, {});
    for (const auto& [task, generation] : looked_at)
        if (Run* run = find(task, generation); run != nullptr && run->tree) {
            look_at_stop_command(*run, supervisor, now);
            if (!run->exit_told) look_at_end(*run, supervisor, now);
        }
    for (const auto& [task, generation] : looked_at) {
        Run* run = find(task, generation);
        if (run == nullptr) continue;
        // The process that was started is not always the main one, and how it ended is of no interest any
        // more where its parent, which is not us, does not reap it.
        if (run->exit_told && run->adopted && os::has_ended(run->tree->pidfd())) run->tree->give_up_leader();
        const bool complete = run->exit_told && run->stop_command != Run::StopCommand::on_its_way;
        if (complete && run->tree->empty()) {
            supervisor.handle(task, core::event::TreeEmpty{generation}, now);
            continue;
        }
        // What was forked while the others were being killed. The kernel itself sees to that in a cgroup.
        if (run->kills != 0 && !run->kill_refused && !run->tree->cgroup()) kill(*run, false);
        linger(*run);
    }
}

void TaskProcesses::child_ended() {
    if (!lingering_.empty()) {
        (void)os::take_child_signal(child_signals_);
        look_at_lingering_by(linger_looked_ + kLingerPause);
    } else {
        sweep_timer_.arm(std::chrono::steady_clock::now() + kSweepDelay);
    }
}

void TaskProcesses::sweep_orphans() {
    (void)os::take_child_signal(child_signals_);
    const auto now = std::chrono::steady_clock::now();
    const bool everywhere = now - everywhere_swept_ >= kEverywhereInterval;
    if (everywhere) everywhere_swept_ = now;
    const auto sweep =
        everywhere ? orphans_.reap_everywhere(kOrphansPerSweep) : orphans_.reap(kOrphansPerSweep);
    if (sweep.reaped != 0) log_->debug("reaped {} orphans", sweep.reaped);
    if (sweep.more) sweep_timer_.arm(now + kNextSlice);
}

/// Whoever is here still belonged to a task and got away from it.
void TaskProcesses::end_orphans() {
    const auto until = std::chrono::steady_clock::now() + kOrphansLimit;
    do {
        while (orphans_.reap(kOrphansPerSweep).reaped == kOrphansPerSweep) {
        }
        if (orphans_.refresh() && orphans_.size() == 0) return;
        (void)orphans_.kill_all();
        std::this_thread::sleep_for(milliseconds(1));
    } while (std::chrono::steady_clock::now() < until);
    log_->warn("{} processes that left their tasks are still there", orphans_.size());
}

void TaskProcesses::say_survivors(Run& run) {
    constexpr std::size_t kMostNamed = 20;
    std::string names;
    const auto survivors = run.tree->survivors();
    for (std::size_t i = 0; i < std::min(survivors.size(), kMostNamed); ++i)
        names += fmt::format("{}{} ({}{})", names.empty() ? "" : ", ", survivors[i].pid,
                             escape_for_display(survivors[i].command),
                             survivors[i].state == 'D' ? ", in uninterruptible sleep" : "");
    if (survivors.size() > kMostNamed) names += fmt::format(" and {} more", survivors.size() - kMostNamed);
    if (!names.empty()) log_->error("{}: still there after SIGKILL: {}; trying again", run.spec->name, names);
}

}  // namespace vigil::daemon
