// Layer daemon. Work that may take its time, in threads beside the loop. Not libuv's pool: that aborts where
// a thread cannot be had, and keeps four of them for what happens once an hour.
#pragma once

#include <uv.h>

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/result.hpp"
#include "loop/handle.hpp"

namespace vigil::daemon {

/// All but the work itself belongs to the loop's thread.
class Aside {
  public:
    static constexpr std::size_t kMostThreads = 4;

    [[nodiscard]] static Result<std::unique_ptr<Aside>> create(uv_loop_t& loop);
    /// Waits for the work that has been begun; the rest is dropped.
    ~Aside();
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

    void add(std::function<void()> work, std::function<void()> done);
    /// How many are not done; in `done` its own is no more.
    [[nodiscard]] std::size_t pending() const noexcept { return pending_; }
    void on_trouble(std::function<void(const Error&)> told) { trouble_ = std::move(told); }

  private:
    struct Job {
        std::function<void()> work;
        std::function<void()> done;
    };
    Aside() = default;
    void ensure_thread();
    void run_thread();
    void take_done();

    std::mutex mutex_;
    std::condition_variable work_;
    // Moved from one to the other without a need of memory.
    std::list<Job> queue_;
    std::list<Job> finished_;
    std::size_t idle_ = 0;  ///< threads that wait for work
    bool stopping_ = false;

    std::vector<std::thread> threads_;
    std::size_t pending_ = 0;
    bool in_trouble_ = false;
    std::function<void(const Error&)> trouble_;
    HandlePtr<uv_async_t> wake_;
    HandlePtr<uv_timer_t> retry_;
};

}  // namespace vigil::daemon
