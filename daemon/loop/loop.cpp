#include "loop/loop.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/check.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

/// libuv has no other way to say that it cannot make a descriptor or have it polled.
void libuv_has_aborted(int) {
    constexpr std::string_view kWords =
        "vigild: the event loop cannot be made: no descriptor or no memory for it; nothing was started\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kWords.data(), kWords.size());
    ::_exit(EXIT_FAILURE);
}

std::uint64_t count_of(milliseconds wait) {
    return wait.count() > 0 ? static_cast<std::uint64_t>(wait.count()) : 0;
}

class AbortsRefuse {
  public:
    AbortsRefuse() : before_(std::signal(SIGABRT, libuv_has_aborted)) {}
    ~AbortsRefuse() { std::signal(SIGABRT, before_); }
    AbortsRefuse(const AbortsRefuse&) = delete;
    AbortsRefuse& operator=(const AbortsRefuse&) = delete;

  private:
    void (*before_)(int);
};

}  // namespace

Result<std::unique_ptr<Loop>> Loop::create() {
    const AbortsRefuse refusing;
    std::unique_ptr<Loop> loop(new Loop(Unmade{}));
    if (const auto made = loop->make(); !made) return Failure{made.error()};
    return loop;
}

Loop::Loop() {
    const auto made = make();
    VIGIL_CHECK(made.ok(), "the event loop cannot be made");
}

Result<void> Loop::make() {
    if (const int error = uv_loop_init(&loop_); error != 0)
        return Failure{Error{"making the event loop", -error}};
    made_ = true;
    measure_turns();
    idle_.reset(new uv_idle_t{});
    uv_idle_init(&loop_, idle_.get());
    idle_->data = this;
    auto readiness = Readiness::create(loop_);
    if (!readiness) return Failure{readiness.error()};
    readiness_ = std::move(readiness).value();
    if (const auto polled = poll_task_watches(); !polled) return polled;
    auto aside = Aside::create(loop_);
    if (!aside) return Failure{aside.error()};
    aside_ = std::move(aside).value();
    // What it polls for itself enters the kernel's set with its first turn: while a failure is a refusal to
    // start.
    uv_idle_start(idle_.get(), [](uv_idle_t* handle) { uv_idle_stop(handle); });
    uv_run(&loop_, UV_RUN_NOWAIT);
    return {};
}

Result<void> Loop::poll_task_watches() {
    auto watches = os::WatchSet::create();
    if (!watches) return Failure{watches.error()};
    task_watches_.emplace(std::move(watches).value());
    auto poll = poll_for_reading(loop_, task_watches_->fd(), this, [](uv_poll_t* handle, int, int) {
        auto* const loop = awake<Loop>(handle);
        if (loop != nullptr && loop->on_task_watches_) loop->on_task_watches_();
    });
    if (!poll) return Failure{poll.error()};
    task_poll_ = std::move(poll).value();
    return {};
}

void Loop::on_task_watches(std::function<void()> ready) {
    on_task_watches_ = std::move(ready);
    auto* const handle = reinterpret_cast<uv_handle_t*>(task_poll_.get());
    if (on_task_watches_)
        uv_ref(handle);
    else
        uv_unref(handle);
}

void Loop::measure_turns() {
    loop_.data = &meter_;
    before_wait_.reset(new uv_prepare_t{});
    uv_prepare_init(&loop_, before_wait_.get());
    before_wait_->data = &meter_;
    uv_prepare_start(before_wait_.get(), [](uv_prepare_t* handle) {
        if (auto* meter = owner_of<LoopMeter>(handle)) meter->wait();
    });
    uv_unref(reinterpret_cast<uv_handle_t*>(before_wait_.get()));
    // Descriptors and signals have their callbacks before this one; with none, it was a timer that ended the
    // wait.
    after_wait_.reset(new uv_check_t{});
    uv_check_init(&loop_, after_wait_.get());
    after_wait_->data = &meter_;
    uv_check_start(after_wait_.get(), [](uv_check_t* handle) { (void)awake<LoopMeter>(handle); });
    uv_unref(reinterpret_cast<uv_handle_t*>(after_wait_.get()));
}

Loop::~Loop() {
    if (!made_) return;
    aside_.reset();
    deferred_.clear();
    readiness_.reset();
    task_poll_.reset();
    idle_.reset();
    before_wait_.reset();
    after_wait_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    VIGIL_CHECK(uv_loop_close(&loop_) == 0, "a handle outlived its owner");
}

void Loop::on_trouble(std::function<void(const Error&)> told) {
    readiness_->on_trouble(told);
    aside_->on_trouble(std::move(told));
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
    aside_->add(std::move(work), std::move(done));
}

Timer::Timer(Loop& loop, std::function<void()> fired)
    : loop_(loop), fired_(std::move(fired)), handle_(new uv_timer_t{}) {
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
    if (!loop_.in_timers_) uv_update_time(handle_->loop);
    const auto wait = std::chrono::ceil<milliseconds>(when - std::chrono::steady_clock::now());
    uv_timer_start(handle_.get(), ring, loop_.in_timers_ ? wait_in_timers(wait) : count_of(wait), 0);
}

/// libuv (before 1.45) calls timers until none is due. So while it does, its clock stands still, and nothing
/// is due before the next iteration: timers that are due again as soon as they were seen to must not keep the
/// loop from its descriptors.
std::uint64_t Timer::wait_in_timers(milliseconds wait) const {
    constexpr std::uint64_t kPerMillisecond = 1'000'000;
    const std::uint64_t age = uv_hrtime() / kPerMillisecond - uv_now(handle_->loop);
    return std::max(count_of(wait), std::uint64_t{1}) + age;
}

void Timer::ring(uv_timer_t* handle) {
    auto* timer = awake<Timer>(handle);
    if (timer == nullptr) return;
    // What is called may be the end of the timer.
    Loop& loop = timer->loop_;
    loop.in_timers_ = true;
    const auto due = std::exchange(timer->armed_, core::kNever);
    // libuv's clock is cut to milliseconds, so it may be up to one too early.
    const auto now = std::chrono::steady_clock::now();
    if (now < due) {
        timer->arm(due);
    } else {
        loop.meter_.late(now - due);
        timer->fired_();
    }
    loop.in_timers_ = false;
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
