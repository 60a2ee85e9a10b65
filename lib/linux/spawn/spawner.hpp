// Layer linux. Starting processes beside the loop: in threads, since a child may be held up before its exec
// for as long as it likes (cwd on a dead mount), and a look-up of a user or a file may be too. Nothing here
// decides when or whether.
//
// A spawn: environment, identity, command, notify socket, pipes and cgroup are prepared in the thread; then
// clone3(2) with CLONE_VM, CLONE_VFORK, CLONE_FILES and CLONE_INTO_CGROUP, so that neither memory nor the
// descriptor table is copied; the child (child.hpp) uses raw system calls only and reports its failure
// through the shared memory.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/cause.hpp"
#include "core/spec.hpp"
#include "core/state.hpp"
#include "linux/cgroup/cgroup.hpp"
#include "linux/self/standard_streams.hpp"
#include "linux/socket/notify_socket.hpp"
#include "linux/spawn/environment.hpp"

namespace vigil::os {

using Invocation = std::array<std::uint8_t, 16>;

/// A second process of a run that is there already: the same spec but for the command, the same generation
/// and invocation, no notify socket and no heartbeat pipe; its output goes where the daemon's goes, or
/// nowhere where the run's does.
struct Auxiliary {
    TextList command;        ///< argv, as TaskSpec::command
    std::string invocation;  ///< of the run, as in SpawnOutcome
    Environment variables;   ///< set last
    UniqueFd cgroup;         ///< of the run (TaskCgroup::open()); empty: it has none
};

struct SpawnJob {
    core::TaskId task{};
    core::Generation generation{};
    core::SpecPtr spec;
    /// Nothing: 128 random bits are drawn.
    std::optional<Invocation> invocation = std::nullopt;
    /// Where the kernel stores the pid before the child runs (CLONE_PARENT_SETTID), for a record that has to
    /// survive us; resident memory, valid until the outcome was taken. Null: nowhere.
    pid_t* pid_record = nullptr;
    std::optional<Auxiliary> auxiliary = std::nullopt;
};

/// Either a running process or a `failure`, in which case pid is 0 and nothing of the spawn is left.
struct SpawnOutcome {
    core::TaskId task{};
    core::Generation generation{};
    bool auxiliary = false;  ///< of a job with one: not the run's main process
    pid_t pid = 0;           ///< leader of its own session and group; its environment has VIGIL_INVOCATION
    UniqueFd pidfd;
    uid_t uid = 0;            ///< what the process runs as
    NotifySocket notify;      ///< empty unless the spec may notify
    UniqueFd heartbeat_pipe;  ///< read end, non-blocking; none unless heartbeat.fd
    /// Read ends of what it prints, non-blocking, by core::OutputStream; that of stderr is empty unless the
    /// spec has it apart, both are unless the spec's output goes to a file.
    UniqueFd output[2];
    TaskCgroup cgroup;                                   ///< empty where there is no home for cgroups
    std::string invocation;                              ///< 32 hexadecimal digits
    std::chrono::steady_clock::time_point spawned_at{};  ///< when the exec was done, or the failure known
    std::optional<core::SpawnFailure> failure;
};

/// The daemon's ends of what a run speaks through; -1: it has none of that kind.
struct RunDescriptors {
    int notify = -1;
    int heartbeat = -1;
    std::array<int, 2> output{-1, -1};  ///< by core::OutputStream
};
struct SpawnerOptions {
    std::string notify_directory;
    std::string runtime_directory;   ///< VIGIL_RUNTIME_DIR of every process; empty: none
    Environment daemon_environment;  ///< for inherit_env and LANG; see current_environment()
    EnvironmentLanguage language;
    /// RLIMIT_NOFILE for children whose spec sets none. Nothing: as the daemon has it.
    std::optional<rlimit> open_files;
    /// Without it a spawn with a heartbeat pipe costs O(open descriptors).
    std::shared_ptr<LowDescriptors> low_descriptors;
    /// Null: tasks get no cgroups.
    std::shared_ptr<CgroupHome> cgroups;
    std::string journal_socket = "/run/systemd/journal/stdout";
    unsigned threads = 2;
    /// One more is started where all are busy and none is done within `grow_after`, or while many wait.
    unsigned max_threads = 16;
    std::chrono::milliseconds grow_after{100};
    /// A spawn that takes longer is given up: its child is killed, and it fails with ETIMEDOUT at the stage
    /// it was in.
    std::chrono::milliseconds stuck_timeout{10'000};
    /// Called in a spawn thread before there is a child, but not for an auxiliary one: what it is shown may
    /// be handed to whoever is to hold it beyond our end. Thread-safe.
    std::function<void(const SpawnJob&, const RunDescriptors&)> before_child;
    /// For tests: a job for which this holds stays before its chdir until it is killed, like one whose cwd is
    /// on a dead mount.
    std::function<bool(const SpawnJob&)> hold;
};

/// All calls are thread-safe and none waits for a spawn. To be made by the main thread after signals, limits
/// and streams are in order: signals that are ignored at that time are given back to their defaults in
/// children.
class Spawner {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Spawner>> create(SpawnerOptions options);
    Spawner(const Spawner&) = delete;
    Spawner& operator=(const Spawner&) = delete;
    /// Kills children that are not yet exec'd, drops what is queued and ends the threads. Processes in
    /// outcomes not taken are killed too. A thread that hangs in a look-up is left behind after a second; it
    /// touches nothing but its own.
    ~Spawner();

    /// Queues the spawn; exactly one outcome follows unless cancel() says otherwise.
    void submit(SpawnJob job);

    /// For a run with an auxiliary process on its way this is that one: the run's own was handed over before.
    enum class Cancelled : std::uint8_t {
        dropped,  ///< was still queued: no outcome will follow
        killed,   ///< in flight: killed if there is a child; an outcome follows, a failure with ECANCELED
        unknown,  ///< nothing of that name is queued or in flight; the outcome may be there to be taken
    };
    Cancelled cancel(core::TaskId task, core::Generation generation);

    /// Appends what is finished since the last call, in order of completion, and makes readable_fd()
    /// unreadable.
    void take_finished(std::vector<SpawnOutcome>& out);
    /// Readable when what take_finished() has to give is to be taken: at once where nobody waits for a spawn,
    /// else when sixteen are finished, and after `grow_after` at the latest. Owned by the spawner.
    [[nodiscard]] int readable_fd() const noexcept;
    /// Whether `pid` is a child that take_finished() has not handed over: not an orphan, whatever a sweep
    /// thinks.
    [[nodiscard]] bool owns(pid_t pid) const;

    struct Load {
        std::size_t queued = 0;
        std::size_t in_flight = 0;
        std::size_t threads = 0;
    };
    [[nodiscard]] Load load() const;

  private:
    struct Shared;
    explicit Spawner(std::shared_ptr<Shared> shared) noexcept;
    std::shared_ptr<Shared> shared_;
};

}  // namespace vigil::os
