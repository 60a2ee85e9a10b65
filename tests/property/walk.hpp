// A random walk: a few tasks of every nature in a world where anything may happen next, reproducible from its
// seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "property/witness.hpp"

namespace vigil::core::simulation {

class Walk {
  public:
    explicit Walk(std::uint64_t seed);

    /// Takes this many steps, then shuts down and waits until nothing lives. Ends early at a broken promise.
    void run(std::size_t steps);

    [[nodiscard]] const std::string& broken() const { return witness_.broken(); }
    /// The last steps, for the report of a broken promise.
    [[nodiscard]] std::string trace() const;
    /// Whether the shutdown came to its end.
    [[nodiscard]] bool is_finished() const { return witness_.is_finished(); }
    [[nodiscard]] std::size_t steps() const { return steps_; }

  private:
    // One kind of step each.
    void step();
    void add_task();
    void give_order();
    void forge_event();
    void pass_time();
    void something_happens();
    void turn();
    void crash();
    void shut_down();

    void progress(Process& process);
    void run_on(Process& process);
    void speak(Process& process);

    [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    [[nodiscard]] bool one_in(std::uint64_t count) { return below(count) == 0; }
    [[nodiscard]] Duration up_to(Duration limit);
    [[nodiscard]] SpecPtr some_spec();
    [[nodiscard]] event::NewSpec changed_spec(TaskId task);
    [[nodiscard]] ExitStatus some_end();
    [[nodiscard]] event::Notified some_message();
    void note(std::string what);

    std::mt19937_64 random_;
    SupervisorRules rules_;
    Supervisor supervisor_;
    World world_;
    Witness witness_;
    Engine engine_;
    TimePoint now_{std::chrono::hours(1)};
    TimePoint last_turn_ = now_;
    std::size_t steps_ = 0;
    std::vector<std::string> trace_;
};

}  // namespace vigil::core::simulation
