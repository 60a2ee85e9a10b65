#include "loop/loop.hpp"

#include <utility>

#include "base/check.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

template <typename Owner, typename Handle>
Owner* owner_of(Handle* handle) noexcept {
    return static_cast<Owner*>(handle->data);
}

/// Whoever owns the handle, once the turn is counted that its callback is a part of.
template <typename Owner, typename Handle>
Owner* awake(Handle* handle) noexcept {
    static_cast<Loop*>(handle->loop->data)->meter().awake();
    return owner_of<Owner>(handle);
}

}  // namespace

Loop::Loop() {
    VIGIL_CHECK(uv_loop_init(&loop_) == 0, "the event loop cannot be made");
    loop_.data = this;
    idle_.reset(new uv_idle_t{});
    uv_idle_init(&loop_, idle_.get());
    idle_->data = this;
    before_wait_.reset(new uv_prepare_t{});
    uv_prepare_init(&loop_, before_wait_.get());
    before_wait_->data = this;
    uv_prepare_start(before_wait_.get(), [](uv_prepare_t* handle) {
        if (auto* loop = owner_of<Loop>(handle)) loop->meter_.wait();
    });
    uv_unref(reinterpret_cast<uv_handle_t*>(before_wait_.get()));
    // Descriptors and signals have their callbacks before this one; with none, it was a timer that ended the
    // wait.
    after_wait_.reset(new uv_check_t{});
    uv_check_init(&loop_, after_wait_.get());
    after_wait_->data = this;
    uv_check_start(after_wait_.get(), [](uv_check_t* handle) { (void)awake<Loop>(handle); });
    uv_unref(reinterpret_cast<uv_handle_t*>(after_wait_.get()));
}

Loop::~Loop() {
    deferred_.clear();
    idle_.reset();
    before_wait_.reset();
    after_wait_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    VIGIL_CHECK(uv_loop_close(&loop_) == 0, "a handle outlived its owner");
}

void Loop::run() {
    meter_.awake();
    uv_run(&loop_, UV_RUN_DEFAULT);
}

void Loop::defer(std::function<void()> action) {
    deferred_.push_back(std::move(action));
    uv_idle_start(idle_.get(), [](uv_idle_t* handle) {
        if (auto* loop = owner_of<Loop>(handle)) loop->run_deferred();
    });
}

void Loop::run_deferred() {
    uv_idle_stop(idle_.get());
    // An action may defer another one; that one runs in the next iteration.
    const auto actions = std::exchange(deferred_, {});
    for (const auto& action : actions) action();
}

void Loop::aside(std::function<void()> work, std::function<void()> done) {
    struct Job {
        Loop& loop;
        uv_work_t request{};
        std::function<void()> work;
        std::function<void()> done;
    };
    auto* job = new Job{*this, {}, std::move(work), std::move(done)};
    job->request.data = job;
    const int error = uv_queue_work(
        &loop_, &job->request, [](uv_work_t* request) { static_cast<Job*>(request->data)->work(); },
        [](uv_work_t* request, int status) {
            const std::unique_ptr<Job> finished(static_cast<Job*>(request->data));
            finished->loop.meter_.awake();
            --finished->loop.asides_;
            if (status == 0) finished->done();
        });
    ++asides_;
    VIGIL_CHECK(error == 0, "work cannot be given to another thread");
}

Timer::Timer(Loop& loop, std::function<void()> fired) : fired_(std::move(fired)), handle_(new uv_timer_t{}) {
    uv_timer_init(loop.raw(), handle_.get());
    handle_->data = this;
}

void Timer::arm(core::TimePoint when) {
    if (when == armed_) return;
    armed_ = when;
    if (when == core::kNever) {
        uv_timer_stop(handle_.get());
        return;
    }
    // libuv counts from its cached time, which is as old as this iteration.
    uv_update_time(handle_->loop);
    const auto wait = std::chrono::ceil<milliseconds>(when - std::chrono::steady_clock::now());
    uv_timer_start(
        handle_.get(),
        [](uv_timer_t* handle) {
            auto* timer = awake<Timer>(handle);
            if (timer == nullptr) return;
            const auto due = std::exchange(timer->armed_, core::kNever);
            // libuv's clock is cut to milliseconds, so it may be up to one too early.
            const auto now = std::chrono::steady_clock::now();
            if (now < due) return timer->arm(due);
            static_cast<Loop*>(handle->loop->data)->meter().late(now - due);
            timer->fired_();
        },
        wait.count() > 0 ? static_cast<std::uint64_t>(wait.count()) : 0, 0);
}

Watch::Watch(Loop& loop, int fd, std::function<void(int)> ready)
    : ready_(std::move(ready)), handle_(new uv_poll_t{}) {
    const int error = uv_poll_init(loop.raw(), handle_.get(), fd);
    VIGIL_CHECK(error == 0, "a descriptor that cannot be polled was given to the loop");
    handle_->data = this;
}

void Watch::interest(int events) {
    if (events == interest_) return;
    interest_ = events;
    if (events == 0) {
        uv_poll_stop(handle_.get());
        return;
    }
    uv_poll_start(handle_.get(), events, [](uv_poll_t* handle, int status, int ready) {
        if (auto* watch = awake<Watch>(handle)) watch->ready_(status < 0 ? UV_READABLE | UV_WRITABLE : ready);
    });
}

SignalWatch::SignalWatch(Loop& loop, int signal, std::function<void()> arrived)
    : arrived_(std::move(arrived)), handle_(new uv_signal_t{}) {
    uv_signal_init(loop.raw(), handle_.get());
    handle_->data = this;
    const int error = uv_signal_start(
        handle_.get(),
        [](uv_signal_t* raised, int) {
            if (auto* watch = awake<SignalWatch>(raised)) watch->arrived_();
        },
        signal);
    VIGIL_CHECK(error == 0, "a signal handler cannot be installed");
}

}  // namespace vigil::daemon
