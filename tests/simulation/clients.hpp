// Operators who wait for the outcome of what they ordered, and what they are promised: one answer each, when
// it is true.
#pragma once

#include <map>
#include <utility>

#include "core/waits.hpp"
#include "simulation/promises.hpp"
#include "simulation/world.hpp"

namespace vigil::core::simulation {

class Clients {
  public:
    Clients(Promises& promises, World& world) : promises_(promises), world_(world) {}

    [[nodiscard]] Ticket new_ticket() { return Ticket{++last_ticket_}; }
    /// Somebody waits for this of the task; `after` is the task after his order was handled.
    void wait(Ticket ticket, Goal goal, const TaskReport& after, Generation generation_before);
    /// One of those who wait goes away.
    void leave(std::size_t which);
    void observe(const effect::Announce& change);

    /// To be called after each turn.
    void look();
    /// A shutdown is complete and nothing is left.
    void finish();

    /// The daemon is gone, and every connection with it.
    void hang_up();
    /// It went on as another program: the waits are its own again, under the tasks' new ids.
    void carry_over(const std::map<TaskId, TaskId>& new_ids);

    [[nodiscard]] std::size_t waiting() const { return open_.size(); }

  private:
    struct Open {
        Goal goal{};
        std::uint64_t after = 0;  ///< announcements up to this one were made before
    };
    void check(Goal goal, const Settled& answer, bool removed);

    Promises& promises_;
    World& world_;
    Waits waits_;
    std::uint64_t last_ticket_ = 0;
    std::map<std::pair<Ticket, TaskId>, Open> open_;
};

}  // namespace vigil::core::simulation
