#include "core/engine.hpp"

#include <variant>

namespace vigil::core {

void Engine::turn(TimePoint now) {
    supervisor_.wake(now);
    signs_.read_all(supervisor_, now);
    supervisor_.judge(now);
    carry_out();
}

void Engine::carry_out() {
    struct Carrier {
        Engine& engine;
        void operator()(const effect::Spawn& effect) { engine.processes_.spawn(effect); }
        void operator()(const effect::Signal& effect) { engine.processes_.signal(effect); }
        void operator()(const effect::RunStopCommand& effect) { engine.processes_.run_stop_command(effect); }
        void operator()(const effect::KillTree& effect) { engine.processes_.kill_tree(effect); }
        void operator()(const effect::Freeze& effect) { engine.processes_.freeze(effect); }
        void operator()(const effect::Release& effect) { engine.processes_.release(effect); }
        void operator()(const effect::Announce& effect) { engine.announcements_.announce(effect); }
        void operator()(const effect::Finished& effect) { engine.announcements_.finished(effect); }
    };
    // A port may hand the supervisor an order of its own (never the engine), so what follows from it is done
    // too.
    for (auto effects = supervisor_.take_effects(); !effects.empty(); effects = supervisor_.take_effects())
        for (const Effect& effect : effects) std::visit(Carrier{*this}, effect);
}

}  // namespace vigil::core
