#include "supervision/task_processes.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kBatch = 64;
/// In one turn, if more is ready than that: what follows from what was read takes as long again, and others
/// are to have their turn.
constexpr auto kReadFor = milliseconds(1);

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

TaskProcesses::TaskProcesses(Loop& loop, Parts parts, protocol::DropCounters& dropped,
                             std::function<void()> turn)
    : log_(std::move(parts.log)),
      features_(parts.features),
      goes_on_(parts.goes_on),
      loop_(loop),
      watches_(loop.task_watches()),
      output_(*parts.output),
      book_(*parts.book),
      keeping_(*parts.keeping),
      missed_(std::move(parts.missed)),
      cgroups_(std::move(parts.cgroups)),
      spawner_(std::move(parts.spawner)),
      turn_(std::move(turn)),
      child_signals_(std::move(parts.child_signals)),
      messages_(log_, dropped,
                [this](Run& run, pid_t pid, UniqueFd fd) { change_main(run, pid, std::move(fd)); }),
      orphans_(
          features_, [this](pid_t pid) { return main_pids_.contains(pid) || spawner_->owns(pid); },
          parts.goes_on ? os::Orphans::Inherited::of_tasks : os::Orphans::Inherited::strangers),
      linger_timer_(loop, [this] { turn_(); }),
      unmute_timer_(loop, [this] { turn_(); }),
      sweep_timer_(loop, [this] { sweep_orphans(); }),
      stray_timer_(loop, [this] { look_for_strays(); }) {
    loop_.on_task_watches([this] { turn_(); });
}

TaskProcesses::~TaskProcesses() {
    loop_.on_task_watches(nullptr);
    runs_.each([](Run& run) {
        if (run.tree) (void)run.tree->kill_all();
    });
    end_orphans();
}

void TaskProcesses::spawn(const core::effect::Spawn& effect) {
    auto run = std::make_unique<Run>();
    run->task = effect.task;
    run->generation = effect.generation;
    run->spec = effect.spec;
    run->keeper = keeping_.keeper();
    const Run& added = runs_.add(std::move(run));
    if (hold_spawns_)
        held_spawns_.emplace_back(effect.task, effect.generation);
    else
        submit(added);
}

void TaskProcesses::submit(const Run& run) {
    spawner_->submit({.task = run.task,
                      .generation = run.generation,
                      .spec = run.spec,
                      .invocation = book_.invocation(run.task),
                      .pid_record = book_.pid_word(run.task)});
}

void TaskProcesses::signal(const core::effect::Signal& effect) {
    Run* run = find(effect.task, effect.generation);
    if (run == nullptr || !run->tree) return;
    if (effect.signal == SIGKILL) run->own_kill = true;
    run->told_to_end = true;
    Result<void> sent;
    if (effect.to == core::effect::SignalTarget::main && run->other_main()) {
        sent = os::signal_process(run->main_pidfd.get(), effect.signal);
        (void)os::signal_process(run->main_pidfd.get(), SIGCONT);
    } else {
        sent = run->tree->ask(effect.to, effect.signal);
    }
    if (!sent && sent.error().code != ESRCH) log_->warn("{}: {}", run->spec->name, sent.error().text());
}

void TaskProcesses::kill_tree(const core::effect::KillTree& effect) {
    Run* run = find(effect.task, effect.generation);
    if (run == nullptr) return;
    if (!run->tree) {
        run->kill_on_arrival = true;
        if (std::erase(held_spawns_, std::pair(effect.task, effect.generation)) != 0 ||
            spawner_->cancel(effect.task, effect.generation) == os::Spawner::Cancelled::dropped) {
            dropped_spawns_.emplace_back(effect.task, effect.generation);
            look_at_lingering_by(clock_now());
        }
        return;
    }
    if (run->kills++ > 0) say_survivors(*run);
    run->told_to_end = true;
    run->own_kill = true;
    cancel_stop_command(*run);
    kill(*run, true);
}

/// The `first` of an order is logged; those that follow it up, many times a second, are not.
void TaskProcesses::kill(Run& run, bool first) {
    const auto killed = run.tree->kill_all();
    run.kill_refused = !killed.ok();
    if (!killed && first) log_->error("{}: {}", run.spec->name, killed.error().text());
    if (killed && *killed == os::Killed::part) linger(run);
}

void TaskProcesses::freeze(const core::effect::Freeze& effect) {
    Run* run = find(effect.task, effect.generation);
    if (run == nullptr || !run->tree) return;
    if (const auto done = run->tree->freeze(effect.frozen); !done && done.error().code != ESRCH)
        log_->warn("{}: {}", run->spec->name, done.error().text());
}

void TaskProcesses::release(const core::effect::Release& effect) {
    Run* run = find(effect.task, effect.generation);
    if (run == nullptr) return;
    watches_.remove(run->notify.fd());
    watches_.remove(run->heartbeat_pipe.get());
    watches_.remove(run->main_pidfd.get());
    if (run->tree) {
        watches_.remove(run->tree->pidfd());
        watches_.remove(run->tree->attached_pidfd());
        main_pids_.erase(run->tree->leader());
        main_pids_.erase(run->tree->attached());
        main_pids_.erase(run->identity.main_pid);
    }
    const std::string& name = run->spec->name;
    const bool never_came = !run->tree;
    if (run->notify || never_came) keeping_.let_go(KeptKind::notify, name, run->generation);
    if (run->heartbeat_pipe || never_came) keeping_.let_go(KeptKind::heartbeat, name, run->generation);
    if (run->collected) {
        output_.finish(effect.task, effect.generation, run->spec);
    } else if (never_came) {
        keeping_.let_go(KeptKind::output, name, run->generation);
        keeping_.let_go(KeptKind::error_output, name, run->generation);
    }
    runs_.erase(effect.task);
}

Result<void> TaskProcesses::signal_main(core::TaskId task, int signal) {
    Run* const run = runs_.find(task);
    if (run == nullptr || !run->tree || run->exit_told)
        return Failure{Error{"there is no process to signal", ESRCH}};
    if (signal == SIGKILL) run->own_kill = true;
    return run->other_main() ? os::signal_process(run->main_pidfd.get(), signal)
                             : run->tree->signal_leader(signal);
}

std::optional<os::TreeUsage> TaskProcesses::usage(core::TaskId task) {
    Run* const run = runs_.find(task);
    if (run == nullptr || !run->tree) return std::nullopt;
    return os::measure(*run->tree);
}

void TaskProcesses::count_waiting(protocol::QueueDepths& queues) const {
    const os::Spawner::Load load = spawner_->load();
    queues.spawns_waiting = load.queued + held_spawns_.size();
    queues.spawns_under_way = load.in_flight;
    queues.runs_ending = lingering_.size();
    queues.tasks_muted = muted_.size();
}

std::optional<core::TimePoint> TaskProcesses::read(core::Supervisor& supervisor, core::TimePoint now) {
    unmute(now);
    round_.go_on(watches_.size(), now);
    std::optional<core::TimePoint> until;
    std::array<os::Ready, kBatch> batch;
    do {
        const std::size_t count = watches_.wait(batch);
        for (std::size_t i = 0; i < count; ++i) dispatch(batch[i], supervisor, now);
        until = round_.portion(count, count < kBatch);
    } while (!until && clock_now() - now < kReadFor);
    for (const auto& [task, generation] : std::exchange(dropped_spawns_, {}))
        supervisor.handle(
            task, core::event::SpawnFailed{generation, {core::SpawnStage::clone, ECANCELED, "was cancelled"}},
            now);
    for (const auto& [task, generation] : std::exchange(dropped_stop_commands_, {}))
        supervisor.handle(task, core::event::StopCommandEnded{generation, false}, now);
    look_at_lingering(supervisor, now);
    return until;
}

void TaskProcesses::dispatch(const os::Ready& ready, core::Supervisor& supervisor, core::TimePoint now) {
    if (ready.tag.kind == os::WatchKind::spawner) return take_spawned(supervisor, now);
    if (ready.tag.kind == os::WatchKind::children) return child_ended();
    Run* run = find(ready.tag.task, ready.tag.generation);
    if (run == nullptr) return;
    switch (ready.tag.kind) {
        case os::WatchKind::exit: return look_at_end(*run, supervisor, now);
        case os::WatchKind::stop_command: return look_at_stop_command(*run, supervisor, now);
        case os::WatchKind::notify: return read_messages(*run, supervisor, now);
        case os::WatchKind::heartbeat_pipe: return read_pipe(*run, supervisor, now);
        case os::WatchKind::spawner:
        case os::WatchKind::children: return;
    }
}

void TaskProcesses::take_spawned(core::Supervisor& supervisor, core::TimePoint now) {
    spawned_.clear();
    spawner_->take_finished(spawned_);
    for (os::SpawnOutcome& outcome : spawned_) arrive(std::move(outcome), supervisor, now);
    spawned_.clear();
}

void TaskProcesses::arrive(os::SpawnOutcome outcome, core::Supervisor& supervisor, core::TimePoint now) {
    Run* run = find(outcome.task, outcome.generation);
    VIGIL_CHECK(run != nullptr && run->tree.has_value() == outcome.auxiliary,
                "a spawn came back that was not awaited");
    if (outcome.auxiliary) return stop_command_arrived(*run, std::move(outcome), supervisor, now);
    if (outcome.failure) {
        supervisor.handle(outcome.task,
                          core::event::SpawnFailed{outcome.generation, std::move(*outcome.failure)}, now);
        return;
    }
    run->tree.emplace(os::ProcessTree::Parts{.leader = outcome.pid,
                                             .pidfd = std::move(outcome.pidfd),
                                             .invocation = std::move(outcome.invocation),
                                             .cgroup = std::move(outcome.cgroup)},
                      features_, orphans_);
    run->collected = output_.attach(outcome.task, outcome.generation, run->spec, outcome.pid, outcome.output);
    run->identity = {.main_pid = outcome.pid, .leader = outcome.pid, .uid = outcome.uid};
    run->notify = std::move(outcome.notify);
    run->heartbeat_pipe = std::move(outcome.heartbeat_pipe);
    book_.identify(outcome.task, marks_of(*run));
    take_watch(*run);
    if (run->keeper != keeping_.keeper()) missed_({run->task, run->generation});
    if (run->kill_on_arrival) {
        run->own_kill = true;
        kill(*run, true);
    }
    supervisor.handle(outcome.task, core::event::Spawned{outcome.generation, outcome.pid}, now);
}

void TaskProcesses::take_watch(Run& run) {
    main_pids_.emplace(run.identity.leader, run.task);
    watch(run, run.tree->pidfd(), os::WatchKind::exit);
    if (run.notify) watch(run, run.notify.fd(), os::WatchKind::notify);
    if (run.heartbeat_pipe) watch(run, run.heartbeat_pipe.get(), os::WatchKind::heartbeat_pipe);
}

void TaskProcesses::watch(Run& run, int fd, os::WatchKind kind) {
    const auto added = watches_.add(fd, {run.task, run.generation, kind}, EPOLLIN);
    if (added) return;
    // The process runs and must not be lost: what cannot be watched is looked at from time to time.
    log_->error("{}: {}; looking at it every {} ms instead", run.spec->name, added.error().text(),
                kLingerInterval.count());
    linger(run);
}

}  // namespace vigil::daemon
