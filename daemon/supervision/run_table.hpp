// Layer daemon. The runs that there are, by task. Ids of tasks are small numbers that are used again
// (core::Supervisor), so a run is found by its place: each heartbeat asks for one.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "supervision/run.hpp"

namespace vigil::daemon {

/// Owns the runs; a run stays where it is until it is erased.
class RunTable {
  public:
    /// Null: the task has no run.
    [[nodiscard]] Run* find(core::TaskId task) const noexcept {
        const std::size_t place = place_of(task);
        return place < runs_.size() ? runs_[place].get() : nullptr;
    }
    /// Null: the task has no run, or another one.
    [[nodiscard]] Run* find(core::TaskId task, core::Generation generation) const noexcept {
        Run* const run = find(task);
        return run != nullptr && run->generation == generation ? run : nullptr;
    }
    /// The first and only run of its task.
    Run& add(std::unique_ptr<Run> run) {
        const std::size_t place = place_of(run->task);
        if (place >= runs_.size()) runs_.resize(place + 1);
        VIGIL_CHECK(runs_[place] == nullptr, "a second run of a task was asked for");
        return *(runs_[place] = std::move(run));
    }
    void erase(core::TaskId task) noexcept {
        if (place_of(task) < runs_.size()) runs_[place_of(task)].reset();
    }
    /// Calls `look` with each run, which must not add or erase any.
    template <typename Look>
    void each(Look look) const {
        for (const auto& run : runs_)
            if (run) look(*run);
    }

  private:
    static std::size_t place_of(core::TaskId task) noexcept { return static_cast<std::size_t>(task); }

    std::vector<std::unique_ptr<Run>> runs_;
};

}  // namespace vigil::daemon
