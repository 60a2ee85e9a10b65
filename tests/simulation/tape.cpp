#include "simulation/tape.hpp"

#include <algorithm>

namespace vigil::core::simulation {
namespace {

/// SplitMix64: one multiplication chain a number, and every seed is a good one.
std::uint64_t next(std::uint64_t& state) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EB;
    return z ^ (z >> 31U);
}

}  // namespace

void Tape::begin_step() {
    ++step_;
    at_ = 0;
    if (recording_) recorded_.steps.emplace_back();
}

void Tape::end_of_story() {
    // A list that is played has its own border: what belongs to the end is played there.
    if (playing_ != nullptr) step_ = std::max(step_, playing_->told);
    if (recording_) recorded_.told = recorded_.steps.size();
}

std::uint32_t Tape::below(std::uint32_t limit) {
    const std::uint32_t number = draw(limit);
    if (recording_) {
        if (recorded_.steps.empty()) recorded_.steps.emplace_back();
        recorded_.steps.back().push_back(number);
    }
    return number;
}

std::uint32_t Tape::draw(std::uint32_t limit) {
    if (playing_ == nullptr) return static_cast<std::uint32_t>(((next(state_) >> 32U) * limit) >> 32U);
    if (step_ == 0 || step_ > playing_->steps.size()) return 0;
    const auto& numbers = playing_->steps[step_ - 1];
    return at_ < numbers.size() ? numbers[at_++] % limit : 0;
}

}  // namespace vigil::core::simulation
