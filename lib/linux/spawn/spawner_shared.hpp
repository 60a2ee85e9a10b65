// Layer linux, internal. What the threads of a Spawner share: queue, spawns on their way, what is finished.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "linux/spawn/prepared_spawn.hpp"
#include "linux/spawn/spawn_flight.hpp"
#include "linux/spawn/spawner.hpp"

namespace vigil::os {

/// Owned by the Spawner and by each of its threads, so that a thread that never comes back from a look-up can
/// be left behind.
struct Spawner::Shared {
    using Clock = SpawnFlight::Clock;
    struct Queued {
        SpawnJob job;
        Clock::time_point since;
    };

    std::unique_ptr<SpawnContext> context;
    UniqueFd event;
    UniqueFd alarm;  ///< a timer that wakes the watcher
    mutable std::mutex mutex;
    std::condition_variable work;
    /// For all but the first SpawnerOptions::threads: what those can do is not spread over more, whose stack
    /// and memory no processor has at hand.
    std::condition_variable much_work;
    std::condition_variable ended;
    std::deque<Queued> queue;
    std::vector<std::shared_ptr<SpawnFlight>> flights;
    std::vector<SpawnOutcome> finished;
    std::vector<std::thread> threads;
    std::thread watcher;
    std::size_t running_threads = 0;
    std::size_t warming_threads = 0;  ///< of those
    std::size_t ready_threads = 0;    ///< of the first, that wait for work
    Clock::time_point last_progress = Clock::now();
    bool told = false;           ///< the event was set since the last take_finished()
    bool alarm_is_set = false;
    bool stopping = false;
    bool watcher_stopping = false;

    // All but ring(), run_thread() and run_watcher() are called with the mutex held.
    void finish(SpawnOutcome outcome);
    void tell();
    bool start_thread(const std::shared_ptr<Shared>& self);
    /// The watcher looks after `period()`, unless it is to anyway.
    void set_alarm();
    /// It looks now.
    void ring();
    [[nodiscard]] std::chrono::nanoseconds period() const;
    void look_after_flights(Clock::time_point now);
    void look_after_queue(Clock::time_point now, const std::shared_ptr<Shared>& self);
    void abandon(SpawnFlight& flight);
    [[nodiscard]] bool too_few_threads(const SpawnFlight& last) const;

    void run_thread(const std::shared_ptr<Shared>& self, std::size_t place);
    void run_watcher(const std::shared_ptr<Shared>& self);
};

/// Ends what a spawn has made that nobody will take over.
void discard(SpawnOutcome& outcome);

}  // namespace vigil::os
