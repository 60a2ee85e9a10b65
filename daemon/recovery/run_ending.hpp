// Layer daemon. The end of runs that a daemon before this one has left: whole trees, by SIGKILL, waited for.
// For the start and for vigild --cleanup, never in a loop.
#pragma once

#include <chrono>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/unique_fd.hpp"
#include "linux/self/features.hpp"
#include "state/table.hpp"

namespace vigil::daemon {

/// Takes the main process, its group, what is below it, and whatever else bears the mark of the run. What is
/// in a run's cgroup and bears no mark is the CgroupHome's to end.
class RunEnding {
  public:
    explicit RunEnding(os::Features features) : features_(features) {}

    /// Kills what is found by the record at once; nothing where the run is gone.
    void add(const state::Found& found);
    /// One that is known by nothing but its mark.
    void add(const std::string& invocation);
    /// Runs of which something was there.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    /// Kills until nothing is found any more; the invocations of which something is left at the end of
    /// `limit`.
    [[nodiscard]] std::unordered_set<std::string> finish(std::chrono::milliseconds limit);

  private:
    struct Leader {
        std::string invocation;
        UniqueFd pidfd;
    };
    os::Features features_;
    std::vector<Leader> leaders_;
    std::unordered_set<std::string> invocations_;
    std::size_t count_ = 0;
};

}  // namespace vigil::daemon
