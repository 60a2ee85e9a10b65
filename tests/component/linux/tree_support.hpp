// What the tests of trees, orphans and cgroups share: a place among the cgroups, and a bench that is the
// reaper of orphans as the daemon is.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "linux/cgroup/cgroup.hpp"
#include "linux/process/orphans.hpp"
#include "linux/process/process_tree.hpp"
#include "support.hpp"

namespace vigil::os::test {

/// A directory for cgroups of this test, not made yet; nothing, said aloud, where cgroups cannot be made.
[[nodiscard]] std::optional<std::string> cgroup_test_path();

/// How trees are told apart: what the kernel has, the least it may have, and cgroups with and without
/// cgroup.kill.
struct Way {
    std::string name;
    Features features;
    bool cgroup = false;
};
[[nodiscard]] std::vector<Way> all_ways();
[[nodiscard]] std::vector<Way> ways_without_cgroup();

/// At its end every process that was started in it is ended, and so is what they started.
class TreeBench {
  public:
    explicit TreeBench(const Way& way);
    ~TreeBench();
    TreeBench(const TreeBench&) = delete;
    TreeBench& operator=(const TreeBench&) = delete;

    [[nodiscard]] ProcessTree spawn(core::TaskSpec spec);
    [[nodiscard]] ProcessTree shell(const std::string& script) { return spawn(SpawnBench::shell(script)); }
    /// Adds a second process to a run.
    void attach(ProcessTree& tree, const std::vector<std::string>& command);
    [[nodiscard]] SpawnBench& bench() { return *bench_; }
    [[nodiscard]] Orphans& orphans() { return *orphans_; }
    [[nodiscard]] const std::shared_ptr<CgroupHome>& home() const { return home_; }
    [[nodiscard]] const TempDir& directory() const { return bench_->directory(); }

    /// What the daemon does between two looks; true: all orphans are known.
    bool reap();
    [[nodiscard]] bool empties(ProcessTree& tree);
    /// Kills again and again until nothing is left.
    [[nodiscard]] bool ends(ProcessTree& tree);

  private:
    Way way_;
    std::unique_ptr<SpawnBench> bench_;
    std::shared_ptr<CgroupHome> home_;
    std::unique_ptr<Orphans> orphans_;
    std::set<pid_t> main_pids_;
};

/// Holds the processes of a tree fast, to see that each of them has ended whoever reaps it.
class Witness {
  public:
    explicit Witness(const std::vector<Survivor>& processes);
    [[nodiscard]] bool all_ended() const;
    [[nodiscard]] std::size_t size() const { return pidfds_.size(); }

  private:
    std::vector<UniqueFd> pidfds_;
};

/// Runs `body` in a process of its own that is user and group 64123 and the reaper of its orphans; what it
/// returns, or 256 where it was ended by a signal. No doctest within. `first` runs there before, as root.
[[nodiscard]] int as_ordinary_user(const std::function<int()>& body, const std::function<void()>& first = {});
inline constexpr uid_t kOrdinaryUser = 64'123;

}  // namespace vigil::os::test
