#include "core/engine.hpp"

#include <variant>

namespace vigil::core {

bool Engine::turn(TimePoint now) {
    supervisor_.wake(now);
    const auto read_until = ports_.signs.read(supervisor_, now);
    if (read_until) supervisor_.judge(*read_until);
    carry_out();
    return read_until.has_value();
}

void Engine::write_all(TimePoint now) {
    supervisor_.change_all(now);
    write_down();
}

void Engine::carry_out() {
    struct Carrier {
        Engine& engine;
        void operator()(const effect::Spawn& effect) { engine.ports_.processes.spawn(effect); }
        void operator()(const effect::Signal& effect) { engine.ports_.processes.signal(effect); }
        void operator()(const effect::RunStopCommand& effect) {
            engine.ports_.processes.run_stop_command(effect);
        }
        void operator()(const effect::KillTree& effect) { engine.ports_.processes.kill_tree(effect); }
        void operator()(const effect::Freeze& effect) { engine.ports_.processes.freeze(effect); }
        void operator()(const effect::Release& effect) { engine.ports_.processes.release(effect); }
        void operator()(const effect::Announce& effect) { engine.ports_.announcements.announce(effect); }
        void operator()(const effect::Finished& effect) { engine.ports_.announcements.finished(effect); }
    };
    // A port may hand the supervisor an order of its own (never the engine), so what follows from it is done
    // too.
    for (;;) {
        write_down();
        const auto effects = supervisor_.take_effects();
        if (effects.empty()) return;
        for (const Effect& effect : effects) std::visit(Carrier{*this}, effect);
    }
}

void Engine::write_down() {
    for (const TaskId task : supervisor_.take_changed()) {
        if (const auto record = supervisor_.record(task)) {
            ports_.records.write(task, *record, *supervisor_.spec(task));
        } else {
            ports_.records.erase(task);
        }
    }
}

}  // namespace vigil::core
