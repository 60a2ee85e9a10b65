// The first promise that was broken, and the story up to there.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/state.hpp"

namespace vigil::core::simulation {

class Promises {
  public:
    /// `telling`: a story is wanted. It costs more than the simulation itself.
    explicit Promises(bool telling) : telling_(telling) {}

    void require(bool kept, const char* promise) {
        if (!kept && broken_.empty()) [[unlikely]]
            broken_ = promise;
    }
    void require(bool kept, const char* promise, TaskId task) {
        if (kept || !broken_.empty()) [[likely]]
            return;
        broken_ = promise;
        place_ = " (task " + std::to_string(static_cast<std::uint32_t>(task)) + ")";
    }
    [[nodiscard]] bool kept() const { return broken_.empty(); }
    /// Empty while all are kept; the same text for the same promise.
    [[nodiscard]] const std::string& broken() const { return broken_; }
    /// Of which task; empty where it is of none.
    [[nodiscard]] const std::string& place() const { return place_; }

    [[nodiscard]] bool telling() const { return telling_; }
    void tell(std::string line) { story_.push_back(std::move(line)); }
    [[nodiscard]] const std::vector<std::string>& story() const { return story_; }

  private:
    bool telling_;
    std::string broken_;
    std::string place_;
    std::vector<std::string> story_;
};

}  // namespace vigil::core::simulation
