// vigil_simulate: simulated lives until told to stop, or one of them again.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "simulation/campaign.hpp"
#include "simulation/shrink.hpp"

namespace {

using namespace vigil::core::simulation;

/// Enough to get from a thousand steps to a handful, in some seconds.
constexpr std::size_t kMostTries = 6000;

std::atomic<bool> stop{false};

void on_stop(int) {
    stop = true;
}

/// An assertion of the core: the seed is all that can still be said.
void on_abort(int) {
    char text[64];
    const int length = std::snprintf(text, sizeof text, "aborted in the life of VIGIL_SEED=%llu\n",
                                     static_cast<unsigned long long>(present_seed()));
    if (length > 0) [[maybe_unused]]
        const auto written = ::write(2, text, static_cast<std::size_t>(length));
}

void print_story(const Outcome& outcome) {
    for (const std::string& line : outcome.story) std::printf("%s\n", line.c_str());
    std::printf("broken: %s%s\n", outcome.broken.c_str(), outcome.place.c_str());
}

/// Tells the life of a seed, as short as it can be made with the same promise broken.
int tell(std::uint64_t seed, std::size_t steps, bool shrinks) {
    Choices choices;
    const Outcome whole = live_and_record(seed, steps, choices);
    if (whole.broken.empty()) {
        std::printf("seed %llu: %zu steps, every promise kept\n", static_cast<unsigned long long>(seed),
                    whole.steps);
        return 0;
    }
    if (!shrinks) {
        print_story(whole);
        return 1;
    }
    const Shrunk shrunk = shrink(
        std::move(choices), [&](const Choices& fewer) { return live(fewer, false).broken == whole.broken; },
        kMostTries);
    const Outcome told = live(shrunk.choices, true);
    std::printf("seed %llu breaks a promise after %zu steps; shrunk to %zu steps in %zu tries:\n",
                static_cast<unsigned long long>(seed), whole.steps, told.steps, shrunk.tries);
    print_story(told);
    return 1;
}

void report(const Tally& tally, std::uint64_t first_seed) {
    std::printf("%llu steps, %llu lives from seed %llu on, %.1f s, %.0f steps/s\n",
                static_cast<unsigned long long>(tally.steps), static_cast<unsigned long long>(tally.lives),
                static_cast<unsigned long long>(first_seed), tally.time.count(),
                static_cast<double>(tally.steps) / std::max(tally.time.count(), 1e-9));
    (void)std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Simulates daemons and their tasks, and looks whether every promise is kept."};
    std::optional<std::uint64_t> seed;
    Campaign campaign;
    double seconds = 0;
    double report_seconds = 0;
    bool any_seeds = false;
    bool shrinks = true;
    bool brief = false;
    campaign.threads = std::max(1U, std::thread::hardware_concurrency());
    app.add_option("--seed", seed, "run the life of this seed alone; if a promise is broken, tell how")
        ->envname("VIGIL_SEED");
    app.add_option("--from", campaign.first_seed, "the first of the seeds that are run")
        ->capture_default_str();
    app.add_flag("--any-seeds", any_seeds, "begin with a seed that chance gives");
    app.add_option("--steps", campaign.steps, "end after so many steps of all lives together");
    app.add_option("--seconds", seconds, "end after this time");
    app.add_option("--steps-a-life", campaign.steps_a_life, "steps of one life")->capture_default_str();
    app.add_option("--jobs", campaign.threads, "threads")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--report", report_seconds, "report each time that so many seconds have passed");
    app.add_flag("!--whole", shrinks, "tell the life as it was, and not the shortest like it");
    app.add_flag("--brief", brief, "say which promise was broken, and do not tell how");
    CLI11_PARSE(app, argc, argv);

    (void)std::signal(SIGINT, on_stop);
    (void)std::signal(SIGTERM, on_stop);
    (void)std::signal(SIGABRT, on_abort);
    if (seed) return tell(*seed, campaign.steps_a_life, shrinks);

    if (any_seeds) campaign.first_seed = std::uint64_t{std::random_device{}()} << 16U;
    campaign.time = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
    campaign.report_every = std::chrono::milliseconds(static_cast<std::int64_t>(report_seconds * 1000));
    Tally tally;
    const auto broken =
        run(campaign, stop, tally, [&](const Tally& so_far) { report(so_far, campaign.first_seed); });
    report(tally, campaign.first_seed);
    if (!broken) {
        std::printf("simulation: %llu steps in %llu lives, every promise kept\n",
                    static_cast<unsigned long long>(tally.steps),
                    static_cast<unsigned long long>(tally.lives));
        return 0;
    }
    std::printf("broken: %s%s\nto see it again: VIGIL_SEED=%llu %s\n", broken->outcome.broken.c_str(),
                broken->outcome.place.c_str(), static_cast<unsigned long long>(broken->seed), argv[0]);
    (void)std::fflush(stdout);
    if (brief) return 1;
    return tell(broken->seed, campaign.steps_a_life, shrinks);
}
