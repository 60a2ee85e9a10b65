// The machinery of the simulation: that a seed makes one life, and that a story gets shorter and keeps its
// end.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "simulation/campaign.hpp"
#include "simulation/shrink.hpp"

namespace vigil::core::simulation {
namespace {

TEST_CASE("a life that is played again from its choices is the same to the last line") {
    for (const std::uint64_t seed : {7U, 8U, 9U}) {
        Choices choices;
        const Outcome first = live_and_record(seed, 300, choices);
        REQUIRE(first.broken == "");
        CHECK(choices.told == 301);
        const Outcome again = live(choices, true);
        CHECK(again.steps == first.steps);
        CHECK(again.story == first.story);
        CHECK(live(seed, 300).steps == first.steps);
    }
}

TEST_CASE("what has nothing to do with a failure is shrunk away, and numbers get as small as they can") {
    Choices choices;
    for (std::uint32_t step = 0; step < 200; ++step) choices.steps.push_back({step, step * 7, 1000 - step});
    choices.told = 180;
    // It takes a step with a number of 50 or more, and after it one with 30 or more.
    const auto fails = [](const Choices& tried) {
        bool first = false;
        for (const auto& step : tried.steps) {
            const std::uint32_t most = step.empty() ? 0 : *std::max_element(step.begin(), step.end());
            if (first && most >= 30) return true;
            first = first || most >= 50;
        }
        return false;
    };
    REQUIRE(fails(choices));
    const Shrunk shrunk = shrink(choices, fails, 5000);
    CHECK(fails(shrunk.choices));
    CHECK(shrunk.choices.steps.size() == 2);
    std::uint32_t sum = 0;
    for (const auto& step : shrunk.choices.steps) sum = std::accumulate(step.begin(), step.end(), sum);
    CHECK(sum == 80);
    CHECK(shrunk.tries <= 5000);
}

TEST_CASE("a failure that needs everything is left as it is, within the tries that it is given") {
    Choices choices;
    choices.steps.assign(50, {3});
    choices.told = 50;
    const Shrunk shrunk = shrink(
        choices, [&](const Choices& tried) { return tried == choices; }, 40);
    CHECK(shrunk.choices == choices);
    CHECK(shrunk.tries <= 40);
}

}  // namespace
}  // namespace vigil::core::simulation
