#include "output/collector.hpp"

#include <csignal>
#include <thread>

#include "base/thread.hpp"
#include "output/plant.hpp"

namespace vigil::output {
namespace {

/// The moves at the end, the wait for a write that is under way, and some.
constexpr auto kEndLimit = std::chrono::milliseconds(4000);

/// Threads that are started meanwhile, and theirs, get no signal.
class SignalsBlocked {
  public:
    SignalsBlocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_{};
};

}  // namespace

struct Collector::Shared {
    std::shared_ptr<Desk> desk;
    std::thread dispatcher;
};

Collector::Collector(std::shared_ptr<Shared> shared) noexcept : shared_(std::move(shared)) {}

Result<std::unique_ptr<Collector>> Collector::create(CollectorOptions options) {
    auto desk = Desk::create(std::move(options));
    if (!desk) return Failure{std::move(desk).error()};
    auto shared = std::make_shared<Shared>();
    shared->desk = *desk;
    std::promise<Result<void>> promise;
    auto begun = promise.get_future();
    {
        const SignalsBlocked blocked;
        auto thread = start_thread(
            [desk = *desk, told = std::move(promise)]() mutable { Plant::run(desk, std::move(told)); },
            "starting a thread for output");
        if (!thread) return Failure{thread.error()};
        shared->dispatcher = std::move(thread).value();
    }
    if (auto ready = begun.get(); !ready) {
        shared->dispatcher.join();
        return Failure{ready.error()};
    }
    shared->desk->close_theirs();
    return std::unique_ptr<Collector>(new Collector(std::move(shared)));
}

Collector::~Collector() {
    shared_->desk->order(Order::Kind::stop);
    if (shared_->desk->wait_for_end(kEndLimit))
        shared_->dispatcher.join();
    else
        shared_->dispatcher.detach();
    shared_->desk->close();
}

Result<void> Collector::attach(Source source) {
    return shared_->desk->attach(std::move(source));
}

void Collector::hold(bool held) {
    shared_->desk->hold(held);
}

void Collector::finish(core::TaskId task, core::Generation generation) {
    shared_->desk->order(Order::Kind::finish, task, generation);
}

void Collector::forget(core::TaskId task) {
    shared_->desk->order(Order::Kind::forget, task);
}

void Collector::reopen() {
    shared_->desk->order(Order::Kind::reopen);
}

void Collector::show_pipes(std::uint64_t after) {
    shared_->desk->show_pipes(after);
}

bool Collector::rest(std::chrono::milliseconds limit) {
    return shared_->desk->rest(limit);
}

void Collector::go_on() {
    shared_->desk->go_on();
}

Tally Collector::tally(core::TaskId task) const {
    return shared_->desk->tally(task);
}

void Collector::take_news(News& out) {
    shared_->desk->take_news(out);
}

int Collector::readable_fd() const noexcept {
    return shared_->desk->readable_fd();
}

}  // namespace vigil::output
