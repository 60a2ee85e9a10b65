#include "simulation/campaign.hpp"

#include <algorithm>
#include <mutex>
#include <thread>

#include "simulation/walk.hpp"

namespace vigil::core::simulation {
namespace {

using Clock = std::chrono::steady_clock;

thread_local std::uint64_t seed_here = 0;

/// One file a thread, for as long as the thread lives.
const TableFile& table_file() {
    thread_local const TableFile file;
    return file;
}

Outcome live_on(Tape& tape, std::size_t steps, bool telling) {
    Walk walk(tape, table_file(), telling);
    walk.run(steps);
    const Promises& promises = walk.promises();
    return {.broken = promises.broken(),
            .place = promises.place(),
            .steps = walk.steps(),
            .story = promises.story()};
}

}  // namespace

std::uint64_t present_seed() noexcept {
    return seed_here;
}

Outcome live(std::uint64_t seed, std::size_t steps) {
    seed_here = seed;
    Tape tape(seed);
    Outcome outcome = live_on(tape, steps, false);
    seed_here = 0;
    return outcome;
}

Outcome live_and_record(std::uint64_t seed, std::size_t steps, Choices& choices) {
    seed_here = seed;
    Tape tape(seed);
    tape.record();
    Outcome outcome = live_on(tape, steps, true);
    choices = tape.take_record();
    seed_here = 0;
    return outcome;
}

Outcome live(const Choices& choices, bool telling) {
    Tape tape(choices);
    // The first entry is what the life begins with, before its first step.
    return live_on(tape, choices.told > 0 ? choices.told - 1 : 0, telling);
}

std::optional<Broken> run(const Campaign& campaign, const std::atomic<bool>& stop, Tally& tally,
                          const std::function<void(const Tally&)>& report) {
    const Clock::time_point began = Clock::now();
    std::atomic<std::uint64_t> next_seed{campaign.first_seed};
    std::atomic<std::uint64_t> begun{0};
    std::atomic<std::uint64_t> steps{0};
    std::atomic<std::uint64_t> lives{0};
    std::atomic<unsigned> working{campaign.threads};
    std::atomic<bool> over{false};
    std::mutex mutex;
    std::optional<Broken> broken;
    const auto work = [&] {
        while (!over && !stop) {
            if (campaign.steps != 0 && begun.fetch_add(campaign.steps_a_life) >= campaign.steps) break;
            const std::uint64_t seed = next_seed++;
            Outcome outcome = live(seed, campaign.steps_a_life);
            steps += outcome.steps;
            ++lives;
            if (outcome.broken.empty()) continue;
            over = true;
            const std::lock_guard lock(mutex);
            // Of two that are found at once the first seed, so that one thread and many find the same.
            if (!broken || seed < broken->seed) broken = Broken{seed, std::move(outcome)};
        }
        --working;
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < campaign.threads; ++i) threads.emplace_back(work);
    Clock::time_point told = began;
    const auto count = [&] { tally = {steps, lives, Clock::now() - began}; };
    while (working != 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const Clock::time_point now = Clock::now();
        if (campaign.time != campaign.time.zero() && now - began >= campaign.time) over = true;
        if (campaign.report_every == campaign.report_every.zero() || now - told < campaign.report_every)
            continue;
        told = now;
        count();
        report(tally);
    }
    for (std::thread& thread : threads) thread.join();
    count();
    return broken;
}

}  // namespace vigil::core::simulation
