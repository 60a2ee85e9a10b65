#include "loop/aside.hpp"

#include <cerrno>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>

namespace vigil::daemon {
namespace {

constexpr std::uint64_t kRetryMs = 100;

/// Signals are for the loop's thread; a new thread has the mask of the one that makes it.
class SignalsHeldBack {
  public:
    SignalsHeldBack() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsHeldBack() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsHeldBack(const SignalsHeldBack&) = delete;
    SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

  private:
    sigset_t before_{};
};

}  // namespace

Result<std::unique_ptr<Aside>> Aside::create(uv_loop_t& loop) {
    std::unique_ptr<Aside> aside(new Aside);
    auto* const wake = new uv_async_t{};
    const int error = uv_async_init(&loop, wake, [](uv_async_t* handle) {
        if (auto* const self = awake<Aside>(handle)) self->take_done();
    });
    if (error != 0) {
        delete wake;  // not in the loop
        return Failure{Error{"making a way back from other threads", -error}};
    }
    wake->data = aside.get();
    aside->wake_.reset(wake);
    uv_unref(reinterpret_cast<uv_handle_t*>(wake));
    aside->retry_.reset(new uv_timer_t{});
    uv_timer_init(&loop, aside->retry_.get());
    aside->retry_->data = aside.get();
    return aside;
}

Aside::~Aside() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    work_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Aside::add(std::function<void()> work, std::function<void()> done) {
    {
        const std::scoped_lock lock(mutex_);
        queue_.push_back({std::move(work), std::move(done)});
    }
    // The loop goes on until it is done.
    if (pending_++ == 0) uv_ref(reinterpret_cast<uv_handle_t*>(wake_.get()));
    ensure_thread();
    work_.notify_one();
}

void Aside::ensure_thread() {
    {
        const std::scoped_lock lock(mutex_);
        if (queue_.size() <= idle_ || threads_.size() >= kMostThreads) return;
    }
    int code = 0;
    try {
        const SignalsHeldBack held_back;
        threads_.emplace_back([this] { run_thread(); });
        in_trouble_ = false;
        return;
    } catch (const std::system_error& error) {
        code = error.code().value();
    } catch (const std::bad_alloc&) {
        code = ENOMEM;
    }
    // Those that there are will come to it.
    if (!threads_.empty()) return;
    uv_timer_start(
        retry_.get(),
        [](uv_timer_t* timer) {
            if (auto* const self = awake<Aside>(timer)) self->ensure_thread();
        },
        kRetryMs, 0);
    if (!std::exchange(in_trouble_, true) && trouble_)
        trouble_(Error{"starting a thread for work beside the loop; trying again", code});
}

void Aside::run_thread() {
    std::unique_lock lock(mutex_);
    while (true) {
        ++idle_;
        work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        --idle_;
        if (stopping_) return;
        std::list<Job> own;
        own.splice(own.begin(), queue_, queue_.begin());
        lock.unlock();
        try {
            own.front().work();
        } catch (const std::bad_alloc&) {
            // What it was to set is not set: whoever asked for it finds that.
        }
        own.front().work = nullptr;
        lock.lock();
        finished_.splice(finished_.end(), own);
        uv_async_send(wake_.get());
    }
}

void Aside::take_done() {
    std::list<Job> finished;
    {
        const std::scoped_lock lock(mutex_);
        finished.swap(finished_);
    }
    for (Job& job : finished) {
        if (--pending_ == 0) uv_unref(reinterpret_cast<uv_handle_t*>(wake_.get()));
        job.done();
    }
}

}  // namespace vigil::daemon
