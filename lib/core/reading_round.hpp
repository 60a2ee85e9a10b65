// Layer core. Until when everything is read, for an owner that is handed what is ready in portions and may
// stop between two of them. Rests on one promise of whoever hands it out, as epoll(7) with level-triggered
// entries gives it: what is handed out comes again only after everything else that is ready.
#pragma once

#include <cstddef>
#include <optional>

#include "core/time.hpp"

namespace vigil::core {

class ReadingRound {
  public:
    /// The owner begins to read at `now`, and there are `watched` places where something may be ready. A
    /// round that it stopped in goes on.
    void go_on(std::size_t watched, TimePoint now) noexcept;
    /// It has read a portion of `count` entries, which was all there was or not. The time up to which all is
    /// read that had come by then, which ends the round; nothing: not known yet.
    [[nodiscard]] std::optional<TimePoint> portion(std::size_t count, bool was_all) noexcept;

  private:
    std::size_t left_ =
        0;  ///< entries until each that was ready when the round began was among them; 0: none
    TimePoint began_{};
    TimePoint turn_{};  ///< when the owner began to read last
};

}  // namespace vigil::core
