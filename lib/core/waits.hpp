// Layer core. Orders are answered when their outcome is reached; this decides when that is.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/effect.hpp"
#include "core/supervisor.hpp"

namespace vigil::core {

/// Names one waiting order; chosen by the caller.
enum class Ticket : std::uint64_t {};

enum class Goal : std::uint8_t {
    running,  ///< of start: healthy, or completed already; `failed`, `dead` and a counter-order are failures
    restarted,  ///< of restart: as running, in a later generation
    stopped,    ///< of stop: nothing of it runs and nothing is due
    dead,       ///< of kill
    removed,    ///< of remove: the name is free
    healthy,    ///< wait --for=healthy: as long as it takes; fails when it cannot become so without an order
    completed,  ///< wait --for=completed
    exited,     ///< wait --for=exit: the end of the present run, or at once when there is none
};

struct Settled {
    Ticket ticket{};
    TaskId task{};
    std::string name;
    bool reached = false;
    StateName state{};  ///< where the task is now (its last state, for a removed one)
    std::string
        explanation;  ///< why it was not reached: "failed: exit code 3; next start in 1s (attempt 1 of 5)"
};

class Waits {
  public:
    /// Starts to wait; `report` is the task as it is *after* the order was handled, `generation_before` the
    /// generation before it. Returns the answer at once when there is nothing to wait for.
    [[nodiscard]] std::optional<Settled> add(Ticket ticket, Goal goal, const TaskReport& report,
                                             Generation generation_before);
    /// The tickets that this change settles.
    [[nodiscard]] std::vector<Settled> observe(const effect::Announce& change);
    /// Forgets every wait of a ticket: the client is gone or its time is up.
    void cancel(Ticket ticket);
    [[nodiscard]] std::size_t size() const noexcept;

  private:
    // To be completed by the implementation.
};

}  // namespace vigil::core
