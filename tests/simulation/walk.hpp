// One simulated life: a few tasks of every nature, operators, a daemon that is killed and upgraded, in a
// world where anything may happen next; then a time without faults, in which everything has to come right;
// then a shutdown.
#pragma once

#include <cstdint>
#include <string>

#include "simulation/witness.hpp"

namespace vigil::core::simulation {

class Walk {
  public:
    /// `tape` and `file` outlive it.
    Walk(Tape& tape, const TableFile& file, bool telling);

    /// Takes this many steps, then comes to its end. Ends early at a broken promise.
    void run(std::size_t steps);

    [[nodiscard]] const Promises& promises() const { return promises_; }
    [[nodiscard]] std::size_t steps() const { return steps_; }

  private:
    // One kind of step each.
    void step();
    void something_happens();
    void pass_time();
    void give_orders();
    void forge_event();
    void add_task();
    void reload();
    void crash();
    void upgrade();

    // The owner of the tasks.
    void turn();
    void die();
    void sleep_until(TimePoint then);
    void be_frozen_until(TimePoint then);
    void be_prompt_until(TimePoint then);
    void order(TaskId task, std::uint32_t kind, std::optional<Ticket> ticket);

    // A process.
    void progress(Process& process);
    void come_up(Process& process);
    void run_on(Process& process);

    // The end: walk_end.cpp.
    void end();
    void settle();
    [[nodiscard]] Duration time_to_settle() const;
    void make_good(Process& process);
    void behave(Process& process);
    void shut_down();

    // What there is of everything: natures.cpp.
    [[nodiscard]] SpecPtr some_spec(std::string name);
    [[nodiscard]] event::NewSpec changed_spec(TaskId task);
    [[nodiscard]] ExitStatus some_end();
    [[nodiscard]] event::Notified some_message();
    [[nodiscard]] const char* some_name();
    [[nodiscard]] Duration up_to(Duration limit);

    [[nodiscard]] std::uint32_t below(std::uint32_t limit) { return tape_.below(limit); }
    [[nodiscard]] bool one_in(std::uint32_t count) { return tape_.one_in(count); }
    [[nodiscard]] bool telling() const { return promises_.telling(); }
    void tell(const std::string& what);
    [[nodiscard]] std::string name_of(TaskId task) const;

    Tape& tape_;
    Promises promises_;
    SupervisorRules rules_;
    Supervisor supervisor_;
    Book book_;
    World world_;
    Clients clients_;
    Witness witness_;
    Engine engine_;
    TimePoint now_{std::chrono::hours(1)};
    std::size_t steps_ = 0;
};

}  // namespace vigil::core::simulation
