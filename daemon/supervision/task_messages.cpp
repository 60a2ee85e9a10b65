// What runs say: read in turn, and who says too much is not listened to for a moment.
#include <sys/epoll.h>

#include <chrono>
#include <utility>

#include "supervision/task_processes.hpp"

namespace vigil::daemon {
namespace {

/// How long a run that floods its socket is not listened to: bounds it to some 6,000 messages a second.
constexpr auto kMuteTime = std::chrono::milliseconds(10);

}  // namespace

void TaskProcesses::read_messages(Run& run, core::Supervisor& supervisor, core::TimePoint now) {
    if (messages_.read_socket(run, kMessagesPerTurn, supervisor, now)) mute(run, now);
}

void TaskProcesses::read_pipe(Run& run, core::Supervisor& supervisor, core::TimePoint now) {
    switch (messages_.read_pipe(run, supervisor, now)) {
        case MessageReader::PipeState::drained: return;
        case MessageReader::PipeState::more: return mute(run, now);
        case MessageReader::PipeState::ended:
            watches_.remove(run.heartbeat_pipe.get());
            run.heartbeat_pipe.reset();
            keeping_.let_go(KeptKind::heartbeat, run.spec->name, run.generation);
            return;
    }
}

void TaskProcesses::mute(Run& run, core::TimePoint now) {
    if (std::exchange(run.muted, true)) return;
    (void)watches_.change(run.notify.fd(), 0);
    (void)watches_.change(run.heartbeat_pipe.get(), 0);
    muted_.emplace_back(run.task, run.generation);
    if (unmute_at_ == core::kNever) unmute_at_ = now + kMuteTime;
    unmute_timer_.arm(unmute_at_);
}

void TaskProcesses::unmute(core::TimePoint now) {
    if (now < unmute_at_) return;
    unmute_at_ = core::kNever;
    for (const auto& [task, generation] : std::exchange(muted_, {})) {
        Run* run = find(task, generation);
        if (run == nullptr) continue;
        run->muted = false;
        (void)watches_.change(run->notify.fd(), EPOLLIN);
        (void)watches_.change(run->heartbeat_pipe.get(), EPOLLIN);
    }
}

void TaskProcesses::change_main(Run& run, pid_t pid, UniqueFd pidfd) {
    watches_.remove(run.main_pidfd.get());
    if (run.identity.main_pid != run.identity.leader) main_pids_.erase(run.identity.main_pid);
    run.identity.main_pid = pid;
    run.main_pidfd = pid == run.identity.leader ? UniqueFd() : std::move(pidfd);
    if (!run.other_main()) return;
    main_pids_.emplace(pid, run.task);
    watch(run, run.main_pidfd.get(), os::WatchKind::exit);
}

}  // namespace vigil::daemon
