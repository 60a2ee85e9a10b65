#include "linux/spawn/spawner.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "linux/spawn/spawner_shared.hpp"

namespace vigil::os {
namespace {

using Clock = SpawnFlight::Clock;

constexpr std::chrono::seconds kShutdownGrace{1};

}  // namespace

Result<std::unique_ptr<Spawner>> Spawner::create(SpawnerOptions options) {
    auto shared = std::make_shared<Shared>();
    options.threads = std::max(options.threads, 1U);
    options.max_threads = std::max(options.max_threads, options.threads);
    const unsigned wanted = options.threads;
    auto context = SpawnContext::create(std::move(options));
    if (!context) return Failure{context.error()};
    shared->context = std::move(context).value();
    shared->event.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!shared->event) return Failure{errno_error("making an eventfd for the spawner")};
    shared->alarm.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    if (!shared->alarm) return Failure{errno_error("making a timer for the spawner")};
    std::unique_ptr<Spawner> spawner(new Spawner(shared));
    const std::lock_guard lock(shared->mutex);
    for (unsigned i = 0; i < wanted; ++i)
        if (!shared->start_thread(shared)) return Failure{Error{"starting a spawn thread", EAGAIN}};
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    bool watched = true;
    try {
        shared->watcher = std::thread([shared] { shared->run_watcher(shared); });
    } catch (const std::system_error&) {
        watched = false;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!watched) return Failure{Error{"starting the thread that watches over spawns", EAGAIN}};
    return spawner;
}

Spawner::Spawner(std::shared_ptr<Shared> shared) noexcept : shared_(std::move(shared)) {}

Spawner::~Spawner() {
    Shared& shared = *shared_;
    std::unique_lock lock(shared.mutex);
    shared.stopping = true;
    shared.queue.clear();
    shared.work.notify_all();
    shared.much_work.notify_all();
    shared.look_after_flights(Clock::now());
    const bool all_ended =
        shared.ended.wait_for(lock, kShutdownGrace, [&] { return shared.running_threads == 0; });
    shared.watcher_stopping = true;
    shared.ring();
    std::vector<std::thread> threads = std::move(shared.threads);
    std::vector<SpawnOutcome> finished = std::move(shared.finished);
    lock.unlock();
    if (shared.watcher.joinable()) shared.watcher.join();
    // Which of them hang is not known, so all are left to themselves then; they hold `Shared` together.
    for (std::thread& thread : threads) all_ended ? thread.join() : thread.detach();
    for (SpawnOutcome& outcome : finished) discard(outcome);
}

void Spawner::submit(SpawnJob job) {
    const auto now = Clock::now();
    bool many = false;
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->queue.empty() && shared_->flights.empty()) shared_->last_progress = now;
        shared_->queue.push_back({std::move(job), now});
        many = shared_->queue.size() > shared_->ready_threads;
        // Whoever takes the job sets the alarm; where nobody is left to take it, the watcher has to see to it.
        if (shared_->running_threads == 0) shared_->set_alarm();
    }
    // Without the mutex, which a thread that is woken needs first.
    shared_->work.notify_one();
    if (many) shared_->much_work.notify_one();
}

Spawner::Cancelled Spawner::cancel(core::TaskId task, core::Generation generation) {
    const auto same = [&](const SpawnJob& job) { return job.task == task && job.generation == generation; };
    const std::lock_guard lock(shared_->mutex);
    const auto queued = std::find_if(shared_->queue.begin(), shared_->queue.end(),
                                     [&](const Shared::Queued& entry) { return same(entry.job); });
    if (queued != shared_->queue.end()) {
        shared_->queue.erase(queued);
        if (shared_->queue.empty()) shared_->tell();
        return Cancelled::dropped;
    }
    for (const auto& flight : shared_->flights) {
        if (!same(flight->job()) || flight->abandoned) continue;
        if (flight->give_up(ECANCELED)) shared_->abandon(*flight);
        return Cancelled::killed;
    }
    return Cancelled::unknown;
}

void Spawner::take_finished(std::vector<SpawnOutcome>& out) {
    const std::lock_guard lock(shared_->mutex);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(shared_->event.get(), &count, sizeof count);
    out.insert(out.end(), std::make_move_iterator(shared_->finished.begin()),
               std::make_move_iterator(shared_->finished.end()));
    shared_->finished.clear();
    shared_->told = false;
}

int Spawner::readable_fd() const noexcept {
    return shared_->event.get();
}

bool Spawner::owns(pid_t pid) const {
    const std::lock_guard lock(shared_->mutex);
    return std::any_of(shared_->flights.begin(), shared_->flights.end(),
                       [&](const auto& flight) { return flight->owns(pid); }) ||
           std::any_of(shared_->finished.begin(), shared_->finished.end(),
                       [&](const SpawnOutcome& outcome) { return outcome.pid == pid; });
}

Spawner::Load Spawner::load() const {
    const std::lock_guard lock(shared_->mutex);
    return {shared_->queue.size(), shared_->flights.size(), shared_->running_threads};
}

}  // namespace vigil::os
