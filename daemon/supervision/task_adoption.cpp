// By what runs are known again, and runs that a daemon before this one has started, or this one as another
// program.
#include <unistd.h>

#include <chrono>
#include <utility>

#include "linux/file/random_name.hpp"
#include "linux/process/process.hpp"
#include "linux/process/process_table.hpp"
#include "recovery/left_run.hpp"
#include "supervision/task_processes.hpp"

namespace vigil::daemon {
namespace {

constexpr auto kStrayInterval = std::chrono::milliseconds(200);

bool is_child(pid_t pid) {
    const auto entry = os::read_process(pid);
    return entry && entry->parent == ::getpid();
}

}  // namespace

RecordBook::Marks TaskProcesses::marks_of(const Run& run) const {
    RecordBook::Marks marks{.inode = features_.pidfd_inode ? os::unique_inode(run.tree->pidfd()) : 0,
                            .uid = run.identity.uid,
                            .cgroup = static_cast<bool>(run.tree->cgroup()),
                            .notify_path = run.notify.path()};
    if (marks.inode == 0)
        if (const auto entry = os::read_process(run.identity.leader)) marks.start_time = entry->start_time;
    return marks;
}

core::FoundRun TaskProcesses::adopt(core::TaskId task, const core::SpecPtr& spec, const state::Found& found,
                                    Kept& kept) {
    using Kind = core::FoundRun::Kind;
    const core::TaskRecord& record = found.record.task;
    const state::RunIdentity& marks = found.record.run;
    std::string invocation = os::to_hex(marks.invocation);
    os::TaskCgroup cgroup =
        cgroups_ ? os::TaskCgroup::adopt(cgroups_, record.name, record.generation) : os::TaskCgroup();
    // The kernel wrote none: nothing of this run ever was, in a cgroup or out of it.
    if (found.pid == 0) return {};

    UniqueFd pidfd = find_left_run(found, features_);
    auto run = std::make_unique<Run>();
    run->task = task;
    run->generation = record.generation;
    run->spec = spec;
    // A daemon that goes on as another program has children, and what it had adopted itself.
    run->adopted = !goes_on_ || !pidfd || !is_child(found.pid);
    run->identity = {.main_pid = found.pid, .leader = found.pid, .uid = marks.uid};
    const bool lives = static_cast<bool>(pidfd);
    os::Strays* const strays = cgroup || !run->adopted ? nullptr : &strays_;
    // What is left of it is to be known at once; of the others, when the loop runs.
    if (strays != nullptr && !lives && !strays->is_acquainted()) (void)strays->refresh_at_length();
    if (strays != nullptr) stray_timer_.arm(std::chrono::steady_clock::now() + kStrayInterval);
    if (cgroup && !record.paused) (void)cgroup.freeze(false);
    run->tree.emplace(os::ProcessTree::Parts{.leader = found.pid,
                                             .pidfd = std::move(pidfd),
                                             .invocation = std::move(invocation),
                                             .cgroup = std::move(cgroup),
                                             .end = lives ? std::nullopt : std::optional(os::ChildEnd{}),
                                             .strays = strays},
                      features_, orphans_);
    const bool others_live = !lives && !run->tree->empty();
    UniqueFd pipes[2] = {kept.take(KeptKind::output, record.name, record.generation),
                         kept.take(KeptKind::error_output, record.name, record.generation)};
    run->collected = output_.attach(task, record.generation, spec, found.pid, pipes);
    run->heartbeat_pipe = kept.take(KeptKind::heartbeat, record.name, record.generation);
    // Between the clone and our first look at the process its record has no path yet.
    std::string path = kept.notify_path(record.name, record.generation);
    UniqueFd held = kept.take(KeptKind::notify, record.name, record.generation);
    if (!held) path = marks.notify_path;
    if (!path.empty()) {
        auto socket = os::NotifySocket::adopt(std::move(held), path);
        if (socket) {
            run->notify = std::move(socket).value();
        } else {
            log_->error("{}: {}", spec->name, socket.error().text());
        }
    }
    Run& taken = runs_.add(std::move(run));
    if (lives) {
        take_watch(taken);
        adopt_main(taken, record.main_pid);
        return {.kind = Kind::running, .pid = found.pid, .status = {}};
    }
    taken.exit_told = true;
    if (others_live) linger(taken);
    return {.kind = others_live ? Kind::main_ended : Kind::ended, .pid = found.pid, .status = {}};
}

void TaskProcesses::adopt_stop_command(core::TaskId task, core::Generation generation, pid_t pid) {
    Run* run = find(task, generation);
    // Our child, and nobody has reaped it since it was one of the program before this.
    auto pidfd = os::open_pidfd(pid);
    if (run == nullptr || !run->tree || !pidfd) return;
    run->stop_command = Run::StopCommand::running;
    run->tree->attach(pid, std::move(pidfd).value());
    main_pids_.emplace(pid, task);
    watch(*run, run->tree->attached_pidfd(), os::WatchKind::stop_command);
}

/// So that the end of an adopted run does not wait until everybody on the machine was asked.
void TaskProcesses::look_for_strays() {
    if (strays_.is_acquainted()) return;
    (void)strays_.refresh();
    stray_timer_.arm(std::chrono::steady_clock::now() + kStrayInterval);
}

void TaskProcesses::hold_spawns(bool held) {
    hold_spawns_ = held;
    if (held) return;
    for (const auto& [task, generation] : std::exchange(held_spawns_, {}))
        if (const Run* run = find(task, generation)) submit(*run);
}

bool TaskProcesses::settled() const {
    const os::Spawner::Load load = spawner_->load();
    if (load.queued != 0 || load.in_flight != 0) return false;
    std::size_t without_process = 0;
    bool stop_command_on_its_way = false;
    runs_.each([&](const Run& run) {
        if (!run.tree) ++without_process;
        stop_command_on_its_way |= run.stop_command == Run::StopCommand::on_its_way;
    });
    return !stop_command_on_its_way && without_process == held_spawns_.size();
}

std::vector<TaskProcesses::StopCommand> TaskProcesses::stop_commands() const {
    std::vector<StopCommand> running;
    runs_.each([&](const Run& run) {
        if (run.stop_command == Run::StopCommand::running)
            running.push_back({run.task, run.generation, run.tree->attached()});
    });
    return running;
}

std::vector<RunId> TaskProcesses::runs() const {
    std::vector<RunId> runs;
    runs_.each([&](const Run& run) {
        if (run.tree) runs.emplace_back(run.task, run.generation);
    });
    return runs;
}

Keeping::Put TaskProcesses::keep_again(const RunId& id) {
    const Run* run = find(id.first, id.second);
    if (run == nullptr) return Keeping::Put::done;
    const std::string& name = run->spec->name;
    const auto notify = keeping_.put_again(KeptKind::notify, name, run->generation, run->notify.fd());
    if (notify != Keeping::Put::done) return notify;
    return keeping_.put_again(KeptKind::heartbeat, name, run->generation, run->heartbeat_pipe.get());
}

void TaskProcesses::adopt_output(core::TaskId task, core::Generation generation, const core::SpecPtr& spec,
                                 Kept& kept) {
    UniqueFd pipes[2] = {kept.take(KeptKind::output, spec->name, generation),
                         kept.take(KeptKind::error_output, spec->name, generation)};
    if (output_.attach(task, generation, spec, 0, pipes)) output_.finish(task, generation, spec);
}

/// The main process that the task itself had named, if that is another and still one of its tree.
void TaskProcesses::adopt_main(Run& run, pid_t main_pid) {
    if (main_pid <= 0 || main_pid == run.identity.leader) return;
    auto pidfd = os::open_pidfd(main_pid);
    if (!pidfd) return;
    const bool ours = run.tree->cgroup() ? run.tree->cgroup().holds(main_pid)
                                         : os::in_session_of(run.identity.leader, main_pid);
    if (ours) change_main(run, main_pid, std::move(pidfd).value());
}

}  // namespace vigil::daemon
