// Makes the choices that led to a broken promise fewer and plainer, for as long as the same promise is
// broken.
#pragma once

#include <functional>

#include "simulation/tape.hpp"

namespace vigil::core::simulation {

struct Shrunk {
    Choices choices;
    std::size_t tries = 0;
};

/// `fails` says whether choices still lead there; it is asked at most so many times. The same input gives the
/// same result.
[[nodiscard]] Shrunk shrink(Choices choices, const std::function<bool(const Choices&)>& fails,
                            std::size_t most_tries);

}  // namespace vigil::core::simulation
