// Everything that chance decides in a simulated life, number by number. The numbers come from a seed, or from
// a list that was recorded before and may have been made simpler since: what a list no longer has is 0.
//
// 0 is always the plainest choice, so a list of few and small numbers tells a short and plain story.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vigil::core::simulation {

/// What was drawn, by steps. Numbers of one step never become those of another, whatever is left out.
struct Choices {
    std::vector<std::vector<std::uint32_t>> steps;
    /// The first of them are the steps of the story, those that follow belong to its end.
    std::size_t told = 0;

    friend bool operator==(const Choices&, const Choices&) = default;
};

class Tape {
  public:
    explicit Tape(std::uint64_t seed) : state_(seed) {}
    /// Plays these again; they outlive the tape.
    explicit Tape(const Choices& choices) : playing_(&choices) {}

    /// Keeps what is drawn from now on. The same seed draws the same numbers, recorded or not.
    void record() { recording_ = true; }
    [[nodiscard]] Choices take_record() { return std::move(recorded_); }

    void begin_step();
    /// What was begun so far is the story; the rest is its end.
    void end_of_story();

    /// Uniform in [0, limit); limit > 0.
    [[nodiscard]] std::uint32_t below(std::uint32_t limit);
    /// True once in so many times.
    [[nodiscard]] bool one_in(std::uint32_t count) { return below(count) == count - 1; }

  private:
    [[nodiscard]] std::uint32_t draw(std::uint32_t limit);

    std::uint64_t state_ = 0;
    const Choices* playing_ = nullptr;
    std::size_t step_ = 0;  ///< the present one is the one before
    std::size_t at_ = 0;    ///< in the present step
    bool recording_ = false;
    Choices recorded_;
};

}  // namespace vigil::core::simulation
