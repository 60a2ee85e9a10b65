// Many simulated lives, on many threads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "simulation/tape.hpp"

namespace vigil::core::simulation {

/// How a life went.
struct Outcome {
    std::string broken;  ///< the promise; empty: all were kept
    std::string place;   ///< of which task
    std::size_t steps = 0;
    std::vector<std::string> story;  ///< where it was wanted
};

struct Broken {
    std::uint64_t seed = 0;
    Outcome outcome;
};

struct Campaign {
    std::uint64_t first_seed = 1;
    std::uint64_t steps = 0;           ///< of all lives together; 0: no bound
    std::chrono::milliseconds time{};  ///< 0: no bound
    std::size_t steps_a_life = 1000;
    unsigned threads = 1;
    std::chrono::milliseconds report_every{};  ///< 0: never
};

struct Tally {
    std::uint64_t steps = 0;
    std::uint64_t lives = 0;
    std::chrono::duration<double> time{};
};

/// One life that a seed makes.
[[nodiscard]] Outcome live(std::uint64_t seed, std::size_t steps);
/// The same, told and with its choices.
[[nodiscard]] Outcome live_and_record(std::uint64_t seed, std::size_t steps, Choices& choices);
/// A life of these choices.
[[nodiscard]] Outcome live(const Choices& choices, bool telling);

/// Runs until a promise is broken, a bound is reached or `stop` is set. `report` is called from this thread.
[[nodiscard]] std::optional<Broken> run(const Campaign& campaign, const std::atomic<bool>& stop, Tally& tally,
                                        const std::function<void(const Tally&)>& report);

/// The seed of the life that this thread is in, for whoever has to say what was going on when the program had
/// to end; 0: none. Async-signal-safe.
[[nodiscard]] std::uint64_t present_seed() noexcept;

}  // namespace vigil::core::simulation
