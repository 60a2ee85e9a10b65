// The threads of a Spawner: those that spawn, and the one that watches over them.
#include <signal.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "linux/process/pidfd_calls.hpp"
#include "linux/process/process.hpp"
#include "linux/self/spare_memory.hpp"
#include "linux/spawn/spawner_shared.hpp"

namespace vigil::os {
namespace {

using Clock = SpawnFlight::Clock;

/// How long a child that was killed may take to go before its spawn is answered without it: it is in
/// uninterruptible sleep then, and dies before its next instruction.
constexpr std::chrono::milliseconds kKillGrace{1'000};
/// A spawn that takes longer than this was held up by something; and so many must wait, for each thread, to
/// be worth another one.
constexpr std::chrono::microseconds kSlow{1'500};
constexpr std::size_t kWaitingEnough = 4;
/// Times as many threads as there are for the usual at most: each keeps some 30 KiB.
constexpr std::size_t kMostForThat = 4;
/// Finished spawns that are told of at once: a turn of the loop for each of thousands would cost as much as a
/// third of the spawn itself.
constexpr std::size_t kTogether = 16;

/// Once, `in` from now (> 0), instead of what it was set to.
bool set_timer(int timer, std::chrono::nanoseconds in) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(in);
    const itimerspec when{.it_interval = {},
                          .it_value = {.tv_sec = seconds.count(), .tv_nsec = (in - seconds).count()}};
    return ::timerfd_settime(timer, 0, &when, nullptr) == 0;
}

/// Blocks.
void wait_for_timer(int timer) {
    std::uint64_t times = 0;
    while (::read(timer, &times, sizeof times) < 0 && errno == EINTR) continue;
}

}  // namespace

void discard(SpawnOutcome& outcome) {
    if (outcome.pid == 0) return;
    ::kill(-outcome.pid, SIGKILL);  // unreaped, so the number is still its own
    pidfd_calls::send_signal(outcome.pidfd.get(), SIGKILL, 0);
    if (outcome.cgroup) (void)outcome.cgroup.kill();
    wait_and_reap(outcome.pidfd.get());
}

void Spawner::Shared::finish(SpawnOutcome outcome) {
    finished.push_back(std::move(outcome));
    if (queue.empty() || finished.size() >= kTogether) tell();
}

/// Where more wait for their spawn a few are told of together; where those are held up, the watcher tells.
void Spawner::Shared::tell() {
    if (finished.empty() || std::exchange(told, true)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event.get(), &one, sizeof one);
}

bool Spawner::Shared::start_thread(const std::shared_ptr<Shared>& self) {
    // New threads inherit the mask; signals are for the loop's thread.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = true;
    try {
        const std::size_t place = threads.size();
        threads.emplace_back([self, place] { self->run_thread(self, place); });
        ++running_threads;
        if (place == 0) ++warming_threads;
    } catch (const std::system_error&) {
        started = false;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

std::chrono::nanoseconds Spawner::Shared::period() const {
    const SpawnerOptions& options = context->options();
    return std::max(std::min(options.grow_after, options.stuck_timeout / 4), std::chrono::milliseconds(1));
}

void Spawner::Shared::set_alarm() {
    if (std::exchange(alarm_is_set, true)) return;
    alarm_is_set = set_timer(alarm.get(), period());
}

void Spawner::Shared::ring() {
    (void)set_timer(alarm.get(), std::chrono::nanoseconds(1));
}

/// Whether spawns take their time while others wait. A child that leaves its session for one of its own is,
/// where the kernel groups processes by session (sched_autogroup_enabled), behind everybody who waits for a
/// processor: where there are others, the spawn of one costs milliseconds, and of many at once hardly more.
bool Spawner::Shared::too_few_threads(const SpawnFlight& last) const {
    const SpawnerOptions& options = context->options();
    const auto most = std::min<std::size_t>(options.max_threads, kMostForThat * options.threads);
    return queue.size() > kWaitingEnough * running_threads && running_threads < most &&
           last_progress - last.started() > kSlow;
}

void Spawner::Shared::run_thread(const std::shared_ptr<Shared>& self, std::size_t place) {
    const spare_memory::Used used;
    auto stack = ChildStack::create();
    // Before somebody waits for it; and one thread, since it may block for as long as a directory server
    // does.
    if (place == 0) context->warm_up();
    const bool first = place < context->options().threads;
    std::unique_lock lock(mutex);
    if (place == 0) --warming_threads;
    while (stack.ok()) {
        (void)spare_memory::hold();
        if (first) ++ready_threads;
        (first ? work : much_work).wait(lock, [this] { return stopping || !queue.empty(); });
        if (first) --ready_threads;
        if (stopping) break;
        const auto flight = std::make_shared<SpawnFlight>(std::move(queue.front().job), Clock::now());
        queue.pop_front();
        flights.push_back(flight);
        set_alarm();
        lock.unlock();
        SpawnOutcome outcome = flight->carry_out(*context, *stack);
        lock.lock();
        std::erase(flights, flight);
        last_progress = Clock::now();
        if (too_few_threads(*flight)) (void)start_thread(self);
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
    if (stopping || queue.empty() || flights.size() + warming_threads < running_threads) return;
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
    // By the clock while a spawn is on its way, and not for each: one costs no wake-up, and an idle daemon has
    // none.
    while (true) {
        wait_for_timer(alarm.get());
        const std::lock_guard lock(mutex);
        if (watcher_stopping) break;
        alarm_is_set = false;
        const auto now = Clock::now();
        look_after_flights(now);
        look_after_queue(now, self);
        tell();
        if (!flights.empty() || !queue.empty()) set_alarm();
    }
}

}  // namespace vigil::os
