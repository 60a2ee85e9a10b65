// Layer daemon. How long the loop is busy at a stretch, and how late its timers are. A turn is everything
// between two waits: callbacks of descriptors, signals and timers, and what they lead to. Of the loop's
// thread.
#pragma once

#include <algorithm>
#include <utility>

#include "base/duration_histogram.hpp"
#include "core/time.hpp"
#include "linux/self/processor_time.hpp"

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
        const core::Duration took = now - turn_began_;
        turns_.add(took);
        recent_turns_.add(took, now);
        turns_cpu_.add(took < kWorthAsking ? took : std::min(took, cpu_since_last_asked()));
    }
    /// A timer fires so long after its time.
    void late(core::Duration by) noexcept { lateness_.add(by); }

    /// Of all turns: as many as there were wake-ups.
    [[nodiscard]] const DurationHistogram& turns() const noexcept { return turns_; }
    /// Of those of the last one to two minutes.
    [[nodiscard]] DurationHistogram recent_turns(core::TimePoint now) const noexcept {
        return recent_turns_.at(now);
    }
    /// Of each turn at most this was the daemon's own work; the rest it stood in line for a processor.
    /// Nothing is asked of the kernel at the begin of a turn, so what a long one is told to have had includes
    /// the short ones before it.
    [[nodiscard]] const DurationHistogram& turns_cpu() const noexcept { return turns_cpu_; }
    [[nodiscard]] const DurationHistogram& lateness() const noexcept { return lateness_; }

  private:
    /// A turn that is shorter is worth no system call.
    static constexpr core::Duration kWorthAsking = std::chrono::milliseconds(1);

    [[nodiscard]] core::Duration cpu_since_last_asked() noexcept {
        const core::Duration before = std::exchange(cpu_asked_, os::processor_time_of_thread());
        return cpu_asked_ - before;
    }

    bool waiting_ = true;
    core::TimePoint turn_began_{};
    DurationHistogram turns_;
    RecentDurations recent_turns_{std::chrono::minutes(1)};
    DurationHistogram turns_cpu_;
    core::Duration cpu_asked_{};
    DurationHistogram lateness_;
};

}  // namespace vigil::daemon
