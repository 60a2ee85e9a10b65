// Layer daemon. RAII over the one libuv loop. Handles live on the heap and are freed only in their close
// callback (libuv design: a handle's memory belongs to the loop until then), so a wrapper may go at any time.
// Everything here belongs to the loop's thread.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <vector>

#include "core/time.hpp"
#include "loop/loop_meter.hpp"

namespace vigil::daemon {

/// Frees the handle in its close callback; a callback that is still due finds no owner and does nothing.
template <typename Handle>
struct CloseHandle {
    void operator()(Handle* handle) const noexcept {
        handle->data = nullptr;
        uv_close(reinterpret_cast<uv_handle_t*>(handle),
                 [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
    }
};
template <typename Handle>
using HandlePtr = std::unique_ptr<Handle, CloseHandle<Handle>>;

class Loop {
  public:
    Loop();
    /// Runs the close callbacks of everything that is closing, then closes the loop. A handle still open is a
    /// broken invariant.
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    [[nodiscard]] uv_loop_t* raw() noexcept { return &loop_; }
    /// Until stop(), or until nothing is watched any more.
    void run();
    void stop() noexcept { uv_stop(&loop_); }
    /// Runs `action` in the next iteration, outside of every other callback: the way to destroy an object
    /// whose own callback is on the stack.
    void defer(std::function<void()> action);
    /// Runs `work` in another thread, then `done` in the loop. `done` is dropped when the loop ends first.
    void aside(std::function<void()> work, std::function<void()> done);
    /// How many of those are not done; in `done` its own is no more.
    [[nodiscard]] std::size_t asides() const noexcept { return asides_; }
    /// How long turns took.
    [[nodiscard]] LoopMeter& meter() noexcept { return meter_; }

  private:
    void run_deferred();

    uv_loop_t loop_{};
    LoopMeter meter_;
    HandlePtr<uv_idle_t> idle_;
    // Neither keeps the loop going.
    HandlePtr<uv_prepare_t> before_wait_;
    HandlePtr<uv_check_t> after_wait_;
    std::vector<std::function<void()>> deferred_;
    std::size_t asides_ = 0;
};

/// One deadline. Never fires early; late by the loop's load and up to 1 ms.
class Timer {
  public:
    Timer(Loop& loop, std::function<void()> fired);
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Replaces what was armed; core::kNever disarms.
    void arm(core::TimePoint when);
    void disarm() { arm(core::kNever); }

  private:
    std::function<void()> fired_;
    core::TimePoint armed_ = core::kNever;
    HandlePtr<uv_timer_t> handle_;
};

/// Readiness of a descriptor that somebody else owns. Must go before the descriptor is closed: libuv would go
/// on polling whatever gets the number next.
class Watch {
  public:
    /// `ready` is called with UV_READABLE, UV_WRITABLE or both; on an error of the poll itself with both.
    Watch(Loop& loop, int fd, std::function<void(int)> ready);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// UV_READABLE | UV_WRITABLE, or 0 for nothing.
    void interest(int events);

  private:
    std::function<void(int)> ready_;
    int interest_ = 0;
    HandlePtr<uv_poll_t> handle_;
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
