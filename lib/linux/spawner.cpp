#include "linux/spawner.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <system_error>
#include <thread>

#include "base/spare_memory.hpp"
#include "linux/pidfd_calls.hpp"
#include "linux/process.hpp"
#include "linux/spawn_flight.hpp"

namespace vigil::os {
namespace {

using Clock = SpawnFlight::Clock;

/// How long a child that was killed may take to go before its spawn is answered without it: it is in
/// uninterruptible sleep then, and dies before its next instruction.
constexpr std::chrono::milliseconds kKillGrace{1'000};
constexpr std::chrono::seconds kShutdownGrace{1};

/// Ends what a spawn has made that nobody will take over.
void discard(SpawnOutcome& outcome) {
    if (outcome.pid == 0) return;
    ::kill(-outcome.pid, SIGKILL);  // unreaped, so the number is still its own
    pidfd_calls::send_signal(outcome.pidfd.get(), SIGKILL, 0);
    if (outcome.cgroup) (void)outcome.cgroup.kill();
    wait_and_reap(outcome.pidfd.get());
}

}  // namespace

/// Owned by the Spawner and by each of its threads, so that a thread that never comes back from a look-up can
/// be left behind.
struct Spawner::Shared {
    struct Queued {
        SpawnJob job;
        Clock::time_point since;
    };

    std::unique_ptr<SpawnContext> context;
    UniqueFd event;
    mutable std::mutex mutex;
    std::condition_variable work;
    std::condition_variable watch;
    std::condition_variable ended;
    std::deque<Queued> queue;
    std::vector<std::shared_ptr<SpawnFlight>> flights;
    std::vector<SpawnOutcome> finished;
    std::vector<std::thread> threads;
    std::thread watcher;
    std::size_t running_threads = 0;
    Clock::time_point last_progress = Clock::now();
    bool watcher_idle = false;
    bool stopping = false;
    bool watcher_stopping = false;

    // All but run_thread() and run_watcher() are called with the mutex held.
    void finish(SpawnOutcome outcome);
    bool start_thread(const std::shared_ptr<Shared>& self);
    void wake_watcher();
    void look_after_flights(Clock::time_point now);
    void look_after_queue(Clock::time_point now, const std::shared_ptr<Shared>& self);
    void abandon(SpawnFlight& flight);

    void run_thread();
    void run_watcher(const std::shared_ptr<Shared>& self);
};

void Spawner::Shared::finish(SpawnOutcome outcome) {
    if (finished.empty()) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(event.get(), &one, sizeof one);
    }
    finished.push_back(std::move(outcome));
}

bool Spawner::Shared::start_thread(const std::shared_ptr<Shared>& self) {
    // New threads inherit the mask; signals are for the loop's thread.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = true;
    try {
        threads.emplace_back([self] { self->run_thread(); });
        ++running_threads;
    } catch (const std::system_error&) {
        started = false;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

void Spawner::Shared::wake_watcher() {
    if (!watcher_idle) return;
    watcher_idle = false;
    watch.notify_one();
}

void Spawner::Shared::run_thread() {
    const spare_memory::Used used;
    auto stack = ChildStack::create();
    std::unique_lock lock(mutex);
    while (stack.ok()) {
        (void)spare_memory::hold();
        work.wait(lock, [this] { return stopping || !queue.empty(); });
        if (stopping) break;
        const auto flight = std::make_shared<SpawnFlight>(std::move(queue.front().job), Clock::now());
        queue.pop_front();
        flights.push_back(flight);
        wake_watcher();
        lock.unlock();
        SpawnOutcome outcome = flight->carry_out(*context, *stack);
        lock.lock();
        std::erase(flights, flight);
        last_progress = Clock::now();
        if (!flight->abandoned) {
            finish(std::move(outcome));
            continue;
        }
        // Answered already. It cannot have succeeded, but what it holds goes without the lock.
        lock.unlock();
        discard(outcome);
        outcome = {};
        lock.lock();
    }
    --running_threads;
    ended.notify_all();
}

void Spawner::Shared::abandon(SpawnFlight& flight) {
    if (std::exchange(flight.abandoned, true)) return;
    finish(flight.abandoned_outcome());
}

/// The spawns on their way: what takes too long is given up.
void Spawner::Shared::look_after_flights(Clock::time_point now) {
    const auto limit = context->options().stuck_timeout;
    for (const auto& flight : flights) {
        const auto age = now - flight->started();
        if (!stopping && age < limit) continue;
        const bool without_child = flight->give_up(stopping ? ECANCELED : ETIMEDOUT);
        if (without_child || age >= limit + kKillGrace) abandon(*flight);
    }
}

/// The spawns that wait: another thread where all are held up, and an honest answer where no more are to be
/// had.
void Spawner::Shared::look_after_queue(Clock::time_point now, const std::shared_ptr<Shared>& self) {
    const SpawnerOptions& options = context->options();
    if (stopping || queue.empty() || flights.size() < running_threads) return;
    if (now - last_progress < options.grow_after) return;
    if (running_threads < options.max_threads && start_thread(self)) return;
    while (!queue.empty() && now - last_progress >= options.stuck_timeout &&
           now - queue.front().since >= options.stuck_timeout) {
        SpawnOutcome outcome;
        outcome.task = queue.front().job.task;
        outcome.generation = queue.front().job.generation;
        outcome.auxiliary = queue.front().job.auxiliary.has_value();
        outcome.spawned_at = now;
        outcome.failure = {
            core::SpawnStage::prepare_environment, EAGAIN,
            "all " + std::to_string(running_threads) + " spawn threads are held up by other tasks"};
        queue.pop_front();
        finish(std::move(outcome));
    }
}

void Spawner::Shared::run_watcher(const std::shared_ptr<Shared>& self) {
    const SpawnerOptions& options = context->options();
    const auto period =
        std::max(std::min(options.grow_after, options.stuck_timeout / 4), std::chrono::milliseconds(1));
    std::unique_lock lock(mutex);
    while (!watcher_stopping) {
        // Woken once for a burst of spawns, then by the clock while any is on its way: a spawn costs no
        // wake-up, and an idle daemon has none.
        if (flights.empty() && queue.empty()) {
            watcher_idle = true;
            watch.wait(lock, [this] { return !watcher_idle || watcher_stopping; });
            watcher_idle = false;
        }
        if (watcher_stopping) break;
        watch.wait_for(lock, period);
        const auto now = Clock::now();
        look_after_flights(now);
        look_after_queue(now, self);
    }
}

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
    shared.look_after_flights(Clock::now());
    const bool all_ended =
        shared.ended.wait_for(lock, kShutdownGrace, [&] { return shared.running_threads == 0; });
    shared.watcher_stopping = true;
    shared.watch.notify_all();
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
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->queue.empty() && shared_->flights.empty()) shared_->last_progress = now;
        shared_->queue.push_back({std::move(job), now});
        // Whoever takes the job wakes the watcher; where nobody is left to take it, the watcher has to see to
        // it.
        if (shared_->running_threads == 0) shared_->wake_watcher();
    }
    // Without the mutex, which a thread that is woken needs first.
    shared_->work.notify_one();
}

Spawner::Cancelled Spawner::cancel(core::TaskId task, core::Generation generation) {
    const auto same = [&](const SpawnJob& job) { return job.task == task && job.generation == generation; };
    const std::lock_guard lock(shared_->mutex);
    const auto queued = std::find_if(shared_->queue.begin(), shared_->queue.end(),
                                     [&](const Shared::Queued& entry) { return same(entry.job); });
    if (queued != shared_->queue.end()) {
        shared_->queue.erase(queued);
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
