// Random walks through the whole core. VIGIL_SEED replays one walk, VIGIL_STEPS sets how many steps are
// taken.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "property/walk.hpp"

namespace vigil::core::simulation {
namespace {

constexpr std::size_t kStepsPerWalk = 1000;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

void walk(std::uint64_t seed, std::size_t steps) {
    Walk one(seed);
    one.run(steps);
    INFO("VIGIL_SEED=" << seed << " after " << one.steps() << " steps; the last ones:\n" << one.trace());
    REQUIRE(one.broken() == "");
    REQUIRE(one.is_finished());
}

TEST_CASE("no walk breaks a promise") {
    if (std::getenv("VIGIL_SEED") != nullptr) return walk(from_environment("VIGIL_SEED", 0), kStepsPerWalk);
    const std::uint64_t steps = from_environment("VIGIL_STEPS", 300'000);
    // Fixed seeds: a failure here is a failure everywhere. More steps mean more seeds.
    for (std::uint64_t seed = 1; seed * kStepsPerWalk <= steps; ++seed) walk(seed, kStepsPerWalk);
}

}  // namespace
}  // namespace vigil::core::simulation
