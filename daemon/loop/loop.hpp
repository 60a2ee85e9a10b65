// Layer daemon. RAII over the one libuv loop. Handles live on the heap and are freed only in their close
// callback (libuv design: a handle's memory belongs to the loop until then), so a wrapper may go at any time.
// Everything here belongs to the loop's thread.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/time.hpp"
#include "linux/socket/watch_set.hpp"
#include "loop/aside.hpp"
#include "loop/handle.hpp"
#include "loop/loop_meter.hpp"
#include "loop/readiness.hpp"

namespace vigil::daemon {

class Loop {
  public:
    /// libuv aborts where it cannot make some of its own descriptors: that ends the process, too, but with a
    /// word on stderr and exit code 1. So this comes before anything that would be left behind.
    [[nodiscard]] static Result<std::unique_ptr<Loop>> create();
    /// The same where it cannot fail: a failure is a broken invariant.
    Loop();
    /// Runs the close callbacks of everything that is closing, then closes the loop. A handle still open is a
    /// broken invariant.
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    [[nodiscard]] uv_loop_t* raw() noexcept { return &loop_; }
    [[nodiscard]] Readiness& readiness() noexcept { return *readiness_; }
    /// The descriptors of all tasks. libuv polls this set itself, and not through readiness(): a system call
    /// less with each heartbeat.
    [[nodiscard]] os::WatchSet& task_watches() noexcept { return *task_watches_; }
    /// `ready` is called when they have something, and keeps the loop going, until it is replaced by null
    /// (not from within itself).
    void on_task_watches(std::function<void()> ready);
    /// Until stop(), or until nothing is watched any more.
    void run();
    void stop() noexcept { uv_stop(&loop_); }
    /// Runs `action` in the next iteration, outside of every other callback: the way to destroy an object
    /// whose own callback is on the stack.
    void defer(std::function<void()> action);
    /// Runs `work` in another thread, then `done` in the loop. `done` is dropped when the loop ends first.
    /// Work that runs out of memory is over: what it would have set is as it was before, so let that be a
    /// failure.
    void aside(std::function<void()> work, std::function<void()> done);
    /// How many of those are not done; in `done` its own is no more.
    [[nodiscard]] std::size_t asides() const noexcept { return aside_->pending(); }
    /// How long turns took.
    [[nodiscard]] LoopMeter& meter() noexcept { return meter_; }
    /// Told of what cannot be had at the moment and is tried again: a place for a descriptor, a thread.
    void on_trouble(std::function<void(const Error&)> told);

  private:
    friend class Timer;
    struct Unmade {};
    explicit Loop(Unmade) noexcept {}
    [[nodiscard]] Result<void> make();
    [[nodiscard]] Result<void> poll_task_watches();
    void measure_turns();
    void run_deferred();

    uv_loop_t loop_{};
    LoopMeter meter_;
    bool made_ = false;
    bool in_timers_ = false;  ///< the callback of a timer is on the stack
    HandlePtr<uv_idle_t> idle_;
    // Neither keeps the loop going.
    HandlePtr<uv_prepare_t> before_wait_;
    HandlePtr<uv_check_t> after_wait_;
    std::vector<std::function<void()>> deferred_;
    std::unique_ptr<Readiness> readiness_;
    std::optional<os::WatchSet> task_watches_;  // polled by the handle below, which goes first
    std::function<void()> on_task_watches_;
    HandlePtr<uv_poll_t> task_poll_;
    std::unique_ptr<Aside> aside_;
};

/// One deadline. Never fires early; late by the loop's load and up to 1 ms. However often it is armed for
/// now, all that the loop watches has a turn in between.
class Timer {
  public:
    Timer(Loop& loop, std::function<void()> fired);
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Replaces what was armed; core::kNever disarms.
    void arm(core::TimePoint when);
    void disarm() { arm(core::kNever); }

  private:
    static void ring(uv_timer_t* handle);
    [[nodiscard]] std::uint64_t wait_in_timers(std::chrono::milliseconds wait) const;

    Loop& loop_;
    std::function<void()> fired_;
    core::TimePoint armed_ = core::kNever;
    HandlePtr<uv_timer_t> handle_;
};

/// A signal of the process, delivered in the loop.
class SignalWatch {
  public:
    SignalWatch(Loop& loop, int signal, std::function<void()> arrived);
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

  private:
    std::function<void()> arrived_;
    HandlePtr<uv_signal_t> handle_;
};

}  // namespace vigil::daemon
