#include "linux/spawn/spawn_flight.hpp"

#include <signal.h>

#include <cerrno>

#include "linux/process/pidfd_calls.hpp"
#include "linux/process/process.hpp"
#include "linux/spawn/exec_diagnosis.hpp"

namespace vigil::os {
namespace {

using core::SpawnFailure;
using core::SpawnStage;

std::string detail_of(SpawnStage stage, int error, const PreparedSpawn& prepared,
                      const core::LaunchSpec& launch, std::int32_t tried) {
    switch (stage) {
        case SpawnStage::cwd: return launch.cwd;
        case SpawnStage::groups: return "setting the supplementary groups of " + prepared.identity.user;
        case SpawnStage::group: return "gid " + std::to_string(prepared.identity.gid);
        case SpawnStage::user: return "uid " + std::to_string(prepared.identity.uid);
        case SpawnStage::rlimits: return "a limit above the hard limit needs privileges (see setrlimit(2))";
        case SpawnStage::nice: return "nice " + std::to_string(prepared.plan.nice);
        case SpawnStage::oom_score_adj: return "oom_score_adj " + prepared.oom_score_adj;
        case SpawnStage::exec: {
            const auto index = tried < 0 ? 0 : static_cast<std::size_t>(tried);
            const std::string& path = prepared.paths[index];
            return explain_exec_failure(path.starts_with('/') ? path : launch.cwd + "/" + path, error);
        }
        default: return {};
    }
}

}  // namespace

SpawnOutcome SpawnFlight::carry_out(SpawnContext& context, const ChildStack& stack) {
    auto prepared = prepare_spawn(context, job_, preparing_);
    if (!prepared) return failed(std::move(prepared).error());
    PreparedSpawn& ready = *prepared.value();
    if (context.options().before_child && !job_.auxiliary)
        context.options().before_child(
            job_, {.notify = ready.notify.fd(),
                   .heartbeat = ready.heartbeat_reader.get(),
                   .output = {ready.output.reader[0].get(), ready.output.reader[1].get()}});
    if (!enter_child()) return abandoned_outcome();
    const long made = spawn_child(ready.plan, report_, stack, job_.pid_record);
    const int given_up = leave_child();
    if (made < 0) {
        // The number may have been stored and taken back before the call failed: it is nobody's.
        const int error = static_cast<int>(-made);
        return failed({SpawnStage::clone, error,
                       ready.cgroup ? "making the process in the cgroup " + ready.cgroup.path()
                                    : "making the process"});
    }
    UniqueFd pidfd(report_.pidfd);
    if (given_up != 0) {
        // It may have got through its exec in the last moment, and started something.
        ::kill(-static_cast<pid_t>(made), SIGKILL);
        pidfd_calls::send_signal(pidfd.get(), SIGKILL, 0);
        if (ready.cgroup) (void)ready.cgroup.kill();
    }
    if (given_up != 0 || report_.error != 0) {
        wait_and_reap(pidfd.get());
        return failed(failure_of_child(ready, given_up));
    }
    SpawnOutcome outcome;
    outcome.task = job_.task;
    outcome.generation = job_.generation;
    outcome.auxiliary = job_.auxiliary.has_value();
    outcome.pid = static_cast<pid_t>(made);
    outcome.pidfd = std::move(pidfd);
    outcome.uid = ready.identity.uid;
    outcome.notify = std::move(ready.notify);
    outcome.heartbeat_pipe = std::move(ready.heartbeat_reader);
    for (int stream = 0; stream < 2; ++stream)
        outcome.output[stream] = std::move(ready.output.reader[stream]);
    outcome.cgroup = std::move(ready.cgroup);
    outcome.invocation = std::move(ready.invocation);
    outcome.spawned_at = Clock::now();
    return outcome;
}

bool SpawnFlight::enter_child() {
    const std::lock_guard lock(mutex_);
    if (given_up_ != 0) return false;
    // An old number in the record must not pass for this child's while there is none.
    if (job_.pid_record != nullptr) __atomic_store_n(job_.pid_record, 0, __ATOMIC_SEQ_CST);
    phase_ = Phase::child;
    return true;
}

int SpawnFlight::leave_child() {
    const std::lock_guard lock(mutex_);
    phase_ = Phase::after;
    return given_up_;
}

bool SpawnFlight::give_up(int error) {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::after) return false;
    if (given_up_ == 0) given_up_ = error;
    if (phase_ == Phase::preparing) return true;
    kill_child();
    return false;
}

/// A child that is not to be seen yet looks at `abort` when it starts. A pid without which the pidfd is not
/// final: the kernel stores the descriptor's number first, and a clone3 that fails later takes it back.
void SpawnFlight::kill_child() noexcept {
    __atomic_store_n(&report_.abort, 1, __ATOMIC_SEQ_CST);
    if (child_pid() == 0) return;
    const int pidfd = __atomic_load_n(&report_.pidfd, __ATOMIC_SEQ_CST);
    if (pidfd >= 0) pidfd_calls::send_signal(pidfd, SIGKILL, 0);
}

bool SpawnFlight::owns(pid_t pid) const noexcept {
    const std::lock_guard lock(mutex_);
    return phase_ != Phase::preparing && child_pid() == pid;
}

pid_t SpawnFlight::child_pid() const noexcept {
    return __atomic_load_n(job_.pid_record != nullptr ? job_.pid_record : &report_.pid, __ATOMIC_SEQ_CST);
}

SpawnStage SpawnFlight::stage() const noexcept {
    if (phase_ == Phase::preparing) return preparing_;
    return static_cast<SpawnStage>(__atomic_load_n(&report_.stage, __ATOMIC_RELAXED));
}

SpawnOutcome SpawnFlight::failed(SpawnFailure failure) const {
    SpawnOutcome outcome;
    outcome.task = job_.task;
    outcome.generation = job_.generation;
    outcome.auxiliary = job_.auxiliary.has_value();
    outcome.spawned_at = Clock::now();
    outcome.failure = std::move(failure);
    return outcome;
}

SpawnFailure SpawnFlight::failure_of_child(const PreparedSpawn& prepared, int given_up) const {
    const SpawnStage at = stage();
    if (given_up != 0) return {at, given_up, given_up_detail(at)};
    return {at, report_.error, detail_of(at, report_.error, prepared, *job_.spec->launch, report_.tried)};
}

SpawnOutcome SpawnFlight::abandoned_outcome() const {
    const std::lock_guard lock(mutex_);
    const SpawnStage at = stage();
    return failed({at, given_up_, given_up_detail(at)});
}

/// What it was waiting for, in so far as the stage tells.
std::string SpawnFlight::given_up_detail(SpawnStage stage) const {
    const core::LaunchSpec& launch = *job_.spec->launch;
    const TextList& command = job_.auxiliary ? job_.auxiliary->command : job_.spec->command;
    switch (stage) {
        case SpawnStage::prepare_environment: return launch.env_file;
        case SpawnStage::look_up_user: return "user " + launch.user;
        case SpawnStage::cwd: return launch.cwd;
        default: return std::string(command.front());
    }
}

}  // namespace vigil::os
