// Layer linux, internal. What is made ready for one spawn before there is a child, in a spawn thread; may
// block.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "linux/self/standard_streams.hpp"
#include "linux/socket/notify_socket.hpp"
#include "linux/spawn/child.hpp"
#include "linux/spawn/identity.hpp"
#include "linux/spawn/spawn_output.hpp"
#include "linux/spawn/spawner.hpp"

namespace vigil::os {

/// What is the same for all spawns of one Spawner. Read-only, shared by its threads, but for the daemon's own
/// identity.
class SpawnContext {
  public:
    [[nodiscard]] static Result<std::unique_ptr<SpawnContext>> create(SpawnerOptions options);

    [[nodiscard]] const SpawnerOptions& options() const noexcept { return options_; }
    [[nodiscard]] int null_fd() const noexcept {
        return low_null_.get() >= 0 ? low_null_.get() : null_.get();
    }
    [[nodiscard]] std::uint64_t ignored_signals() const noexcept { return ignored_signals_; }
    /// Whom the spec names. The daemon's own identity is looked up once; every other at each spawn.
    [[nodiscard]] Result<Identity, IdentityFailure> identity_for(const core::LaunchSpec& launch);
    /// Looks up what most spawns need, so that the first of them need not. May block as that does.
    void warm_up();
    /// Whether children are born with this oom_score_adj: that of this process, which may change at any time.
    [[nodiscard]] bool has_oom_score_adj(std::string_view score) const;
    /// Whether becoming `identity` takes a call at all: an ordinary user may make none of them.
    [[nodiscard]] bool must_set_groups(const Identity& identity) const;
    [[nodiscard]] bool must_set_gid(const Identity& identity) const noexcept;
    [[nodiscard]] bool must_set_uid(const Identity& identity) const noexcept;

  private:
    explicit SpawnContext(SpawnerOptions options) : options_(std::move(options)) {}

    SpawnerOptions options_;
    UniqueFd null_;
    LowDescriptors::Loan low_null_;  ///< gone before the LowDescriptors in options_
    std::uint64_t ignored_signals_ = 0;
    UniqueFd oom_score_adj_;  ///< our own in /proc; empty: it cannot be read
    std::array<uid_t, 3> uids_{};
    std::array<gid_t, 3> gids_{};
    std::vector<gid_t> groups_;  ///< sorted
    std::mutex mutex_;
    std::optional<Identity> own_;
};

/// Owns everything a ChildPlan points to.
struct PreparedSpawn {
    Identity identity;
    std::string invocation;
    std::string environment;  ///< "NAME=value", each with a NUL at its end
    std::vector<std::string> paths;
    std::vector<char*> envp;
    std::vector<char*> argv;
    std::vector<const char*> path_pointers;
    std::vector<ChildLimit> limits;
    std::string oom_score_adj;
    NotifySocket notify;
    UniqueFd heartbeat_reader;
    UniqueFd heartbeat_writer;
    LowDescriptors::Loan low_writer;
    SpawnOutput output;
    LowDescriptors::Loan low_output[2];
    TaskCgroup cgroup;
    UniqueFd cgroup_fd;  ///< open until the child is made
    ChildPlan plan;

    PreparedSpawn() = default;
    PreparedSpawn(const PreparedSpawn&) = delete;
    PreparedSpawn& operator=(const PreparedSpawn&) = delete;
};

/// Keeps `stage` at what is being done, for whoever gives up on it.
[[nodiscard]] Result<std::unique_ptr<PreparedSpawn>, core::SpawnFailure> prepare_spawn(
    SpawnContext& context, const SpawnJob& job, std::atomic<core::SpawnStage>& stage);

/// The files that `command` may mean: itself where it holds a slash, else those in the directories of `path`
/// that are regular and executable for someone; which of them the task's user may use, only its exec can
/// tell. Relative and empty directories in `path` are passed over. Stage look_up_command, ENOENT or EACCES,
/// where there is none.
[[nodiscard]] Result<std::vector<std::string>, core::SpawnFailure> find_command(const std::string& command,
                                                                                std::string_view path);

}  // namespace vigil::os
