// Layer linux, internal. One spawn on its way: carried by a spawn thread, watched over by another.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>

#include "linux/spawn/child.hpp"
#include "linux/spawn/prepared_spawn.hpp"
#include "linux/spawn/spawn_call.hpp"
#include "linux/spawn/spawner.hpp"

namespace vigil::os {

/// The steps in which a spawn can be held up, and what ends it there: nothing can stop a thread in a look-up,
/// so its spawn is abandoned and the thread left to itself; a child is killed by its pidfd.
class SpawnFlight {
  public:
    using Clock = std::chrono::steady_clock;

    SpawnFlight(SpawnJob job, Clock::time_point started) : job_(std::move(job)), started_(started) {}

    [[nodiscard]] const SpawnJob& job() const noexcept { return job_; }
    [[nodiscard]] Clock::time_point started() const noexcept { return started_; }

    /// The whole spawn. Called once, by a spawn thread; may block for as long as the world likes.
    [[nodiscard]] SpawnOutcome carry_out(SpawnContext& context, const ChildStack& stack);

    /// Gives the spawn up with `error` (ECANCELED, ETIMEDOUT): kills a child before its exec. From any
    /// thread, repeatable. True: there is no child yet and carry_out() will make none.
    [[nodiscard]] bool give_up(int error);
    /// The outcome in place of the one that carry_out() owes, for a spawn that was given up.
    [[nodiscard]] SpawnOutcome abandoned_outcome() const;
    /// Whether `pid` is the child of this spawn. From any thread.
    [[nodiscard]] bool owns(pid_t pid) const noexcept;

    /// An outcome stands in for this spawn already; guarded by the owner of the list of flights.
    bool abandoned = false;

  private:
    enum class Phase : std::uint8_t { preparing, child, after };

    [[nodiscard]] bool enter_child();
    [[nodiscard]] int leave_child();
    void kill_child() noexcept;
    [[nodiscard]] SpawnOutcome failed(core::SpawnFailure failure) const;
    [[nodiscard]] core::SpawnFailure failure_of_child(const PreparedSpawn& prepared, int given_up) const;
    [[nodiscard]] pid_t child_pid() const noexcept;
    [[nodiscard]] core::SpawnStage stage() const noexcept;
    [[nodiscard]] std::string given_up_detail(core::SpawnStage stage) const;

    SpawnJob job_;
    Clock::time_point started_;
    std::atomic<core::SpawnStage> preparing_{core::SpawnStage::prepare_environment};
    ChildReport report_;
    mutable std::mutex mutex_;  ///< guards what follows, and keeps report_.pidfd open in Phase::child
    Phase phase_ = Phase::preparing;
    int given_up_ = 0;
};

}  // namespace vigil::os
