// Layer daemon. How long the loop is busy at a stretch, and how late its timers are. A turn is everything
// between two waits: callbacks of descriptors, signals and timers, and what they lead to.
#pragma once

#include "base/duration_histogram.hpp"
#include "core/time.hpp"

namespace vigil::daemon {

class LoopMeter {
  public:
    /// Something is to be done: to be called at the begin of each callback. The first one of a turn counts.
    void awake() noexcept {
        if (!waiting_) return;
        waiting_ = false;
        turn_began_ = std::chrono::steady_clock::now();
    }
    /// The loop is about to wait.
    void wait() noexcept {
        if (waiting_) return;
        waiting_ = true;
        const auto now = std::chrono::steady_clock::now();
        turns_.add(now - turn_began_);
        recent_turns_.add(now - turn_began_, now);
    }
    /// A timer fires so long after its time.
    void late(core::Duration by) noexcept { lateness_.add(by); }

    /// Of all turns: as many as there were wake-ups.
    [[nodiscard]] const DurationHistogram& turns() const noexcept { return turns_; }
    /// Of those of the last one to two minutes.
    [[nodiscard]] DurationHistogram recent_turns(core::TimePoint now) const noexcept {
        return recent_turns_.at(now);
    }
    [[nodiscard]] const DurationHistogram& lateness() const noexcept { return lateness_; }

  private:
    bool waiting_ = true;
    core::TimePoint turn_began_{};
    DurationHistogram turns_;
    RecentDurations recent_turns_{std::chrono::minutes(1)};
    DurationHistogram lateness_;
};

}  // namespace vigil::daemon
