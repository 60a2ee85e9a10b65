// Layer core. Orders are answered when their outcome is reached; this decides when that is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/effect.hpp"
#include "core/supervisor.hpp"

namespace vigil::core {

/// Names one waiting order; chosen by the caller.
enum class Ticket : std::uint64_t {};

enum class Goal : std::uint8_t {
    /// Of start: healthy, or completed already; `failed`, `dead` and a counter-order are failures.
    running,
    restarted,  ///< of restart: as running, in a later generation
    /// Of stop: nothing of it runs and nothing is due; a start in between is a failure. Where no stop was
    /// ordered (wait --for=stopped): as long as it takes.
    stopped,
    dead,       ///< of kill; a removed task counts as well, as there is less left of it than was asked for
    removed,    ///< of remove: the name is free
    healthy,    ///< wait --for=healthy: as long as it takes; fails when it cannot become so without an order
    completed,  ///< wait --for=completed
    exited,     ///< wait --for=exit: the end of the present run, or at once when there is none
};

[[nodiscard]] std::string_view to_string(Goal goal) noexcept;
[[nodiscard]] std::optional<Goal> parse_goal(std::string_view text) noexcept;

struct Settled {
    Ticket ticket{};
    TaskId task{};
    std::string name;
    bool reached = false;
    StateName state{};  ///< where the task is now (its last state, for a removed one)
    /// Why it was not reached: "failed: exit code 3; next start in 1s (attempt 1 of 5)".
    std::string explanation;
};

class Waits {
  public:
    /// Starts to wait; `report` is the task as it is *after* the order was handled, `generation_before` the
    /// generation before it. Returns the answer at once when there is nothing to wait for. (A task that was
    /// removed at once has no report any more, and its remover no wait.)
    [[nodiscard]] std::optional<Settled> add(Ticket ticket, Goal goal, const TaskReport& report,
                                             Generation generation_before);
    /// The tickets that this change settles. A change from before a wait began does not concern it, although
    /// its announcement may be carried out only now.
    [[nodiscard]] std::vector<Settled> observe(const effect::Announce& change);
    /// Forgets every wait of a ticket: the client is gone or its time is up. The order itself goes on.
    void cancel(Ticket ticket);
    /// What a daemon that goes on as another program hands over of a wait. Every change that was announced
    /// before has been observed.
    struct Kept {
        TaskId task{};
        Goal goal{};
        Generation generation{};
        bool patient = false;
    };
    [[nodiscard]] std::vector<Kept> kept(Ticket ticket) const;
    /// Goes on waiting.
    void restore(Ticket ticket, const Kept& kept);

    /// Waits that are not settled yet; a ticket may have one for each of several tasks.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    struct Wait {
        Ticket ticket{};
        Goal goal{};
        Generation generation{};  ///< the run that a later or ended one is told from
        std::uint64_t after = 0;  ///< announcements up to this one were made before the wait began
        bool patient = false;     ///< no order stands behind it: a start on the way is no counter-order
    };
    struct Tasks {
        std::vector<TaskId> asked;  ///< settled ones included
        std::size_t open = 0;
    };

    /// In order of arrival. A removed task settles all of its waits, so no later task of its TaskId finds
    /// them.
    std::unordered_map<TaskId, std::vector<Wait>> by_task_;
    std::unordered_map<Ticket, Tasks> by_ticket_;
    std::size_t size_ = 0;

    void open(TaskId task, const Wait& wait);
    void drop(Ticket ticket);
};

}  // namespace vigil::core
