#include "core/reading_round.hpp"

namespace vigil::core {

void ReadingRound::go_on(std::size_t watched, TimePoint now) noexcept {
    turn_ = now;
    if (left_ > 0) return;
    left_ = watched + 1;
    began_ = now;
}

std::optional<TimePoint> ReadingRound::portion(std::size_t count, bool was_all) noexcept {
    if (!was_all && count < left_) {
        left_ -= count;
        return std::nullopt;
    }
    left_ = 0;
    return was_all ? turn_ : began_;
}

}  // namespace vigil::core
