#include "unit/core/stage.hpp"

#include <memory>

namespace vigil::core::testing {

TaskSpec plain(std::string name) {
    TaskSpec spec;
    spec.name = std::move(name);
    spec.command = {"/bin/worker"};
    spec.restart.edit().jitter = 0;
    return spec;
}

TaskSpec notifying(std::string name) {
    TaskSpec spec = plain(std::move(name));
    spec.ready = {ReadyOn::notify, 60s};
    return spec;
}

TaskSpec beating(std::string name) {
    TaskSpec spec = plain(std::move(name));
    spec.heartbeat = HeartbeatRule{};
    spec.ready = {ReadyOn::heartbeat, spec.heartbeat->initial_delay};
    return spec;
}

Cause by_operator() {
    return {cause::ByOperator{{0, 4711}}};
}

TaskId Stage::given(TaskSpec spec) {
    const TaskId added = supervisor.add(std::make_shared<const TaskSpec>(std::move(spec)), now).value();
    if (!added_) id = added;
    added_ = true;
    return added;
}

void Stage::given_healthy(TaskSpec spec) {
    given(std::move(spec));
    gets_healthy();
}

TaskId Stage::given_in(StateName state) {
    TaskSpec spec = notifying();
    spec.autostart = state != StateName::created;
    if (state == StateName::dead) spec.restart.edit().policy = RestartPolicy::never;
    given(std::move(spec));
    if (state == StateName::created) return id;
    comes_up();
    if (state == StateName::starting) return id;
    says_ready();
    switch (state) {
        case StateName::created:
        case StateName::starting:
        case StateName::healthy: break;
        case StateName::stopping: stop(); break;
        case StateName::failed:
        case StateName::dead: exits(1); break;
        case StateName::completed: exits(0); break;
        case StateName::stopped:
            stop();
            exits(0);
            break;
    }
    return id;
}

void Stage::advance(Duration time) {
    const TimePoint end = now + time;
    for (TimePoint due = supervisor.next_deadline(); due <= end; due = supervisor.next_deadline()) {
        now = std::max(now, due);
        turn();
    }
    now = end;
    turn();
}

void Stage::oversleep(Duration time, const std::function<void()>& unread) {
    now += time;
    supervisor.wake(now);
    unread();
    supervisor.judge(now);
}

void Stage::turn() {
    supervisor.wake(now);
    supervisor.judge(now);
}

void Stage::comes_up() {
    order(event::Spawned{generation(), next_pid_++});
}

void Stage::cannot_start(int error) {
    order(event::SpawnFailed{generation(), {SpawnStage::exec, error, ""}});
}

void Stage::exits(int code, bool tree_empty) {
    order(event::Exited{generation(), {ExitStatus::Kind::code, code, 0, false}, tree_empty});
}

void Stage::dies(int signal, bool tree_empty) {
    order(event::Exited{generation(), {ExitStatus::Kind::signal, 0, signal, false}, tree_empty});
}

void Stage::tree_empties() {
    order(event::TreeEmpty{generation()});
}

void Stage::beats() {
    event::Notified message;
    message.beat = true;
    notifies(std::move(message));
}

void Stage::says_ready() {
    event::Notified message;
    message.ready = true;
    notifies(std::move(message));
}

void Stage::notifies(event::Notified message) {
    message.generation = generation();
    order(std::move(message));
}

void Stage::gets_healthy() {
    comes_up();
    says_ready();
    if (state() == "starting") beats();
}

void Stage::everyone_obeys() {
    for (bool again = true; again;) {
        const std::vector<Effect> asked = supervisor.take_effects();
        again = !asked.empty();
        effects_.insert(effects_.end(), asked.begin(), asked.end());
        for (const Effect& effect : asked) (void)obey(effect);
    }
}

bool Stage::obey(const Effect& effect) {
    if (const auto* spawn = std::get_if<effect::Spawn>(&effect)) {
        supervisor.handle(spawn->task, event::Spawned{spawn->generation, next_pid_++}, now);
        event::Notified sign;
        sign.generation = spawn->generation;
        sign.ready = sign.beat = true;
        supervisor.handle(spawn->task, std::move(sign), now);
        return true;
    }
    const ExitStatus by_signal{ExitStatus::Kind::signal, 0, 15, false};
    if (const auto* signal = std::get_if<effect::Signal>(&effect)) {
        supervisor.handle(signal->task, event::Exited{signal->generation, by_signal, true}, now);
        return true;
    }
    if (const auto* kill = std::get_if<effect::KillTree>(&effect)) {
        supervisor.handle(kill->task, event::Exited{kill->generation, by_signal, true}, now);
        return true;
    }
    return false;
}

std::string Stage::state() const {
    const auto found = supervisor.report(id, now);
    return found ? std::string(to_string(found->state)) : "gone";
}

const std::vector<Effect>& Stage::effects() {
    for (Effect& effect : supervisor.take_effects()) effects_.push_back(std::move(effect));
    return effects_;
}

void Stage::forget() {
    (void)effects();
    effects_.clear();
}

std::string Stage::signals() {
    std::string text;
    for (const auto& signal : all<effect::Signal>()) {
        if (!text.empty()) text += ' ';
        text += std::to_string(signal.signal);
        switch (signal.to) {
            case effect::SignalTarget::main: text += " to main"; break;
            case effect::SignalTarget::group: break;
            case effect::SignalTarget::tree: text += " to tree"; break;
            case effect::SignalTarget::outside_group: text += " to the rest"; break;
        }
    }
    return text;
}

std::string Stage::story() {
    struct Word {
        std::string operator()(const effect::Spawn&) const { return "spawn"; }
        std::string operator()(const effect::Signal& signal) const {
            return "signal:" + std::to_string(signal.signal);
        }
        std::string operator()(const effect::RunStopCommand&) const { return "stop-command"; }
        std::string operator()(const effect::KillTree&) const { return "kill"; }
        std::string operator()(const effect::Freeze& freeze) const {
            return freeze.frozen ? "freeze" : "thaw";
        }
        std::string operator()(const effect::Announce& change) const {
            return "announce:" + (change.to ? std::string(to_string(*change.to)) : "gone");
        }
        std::string operator()(const effect::Release&) const { return "release"; }
        std::string operator()(const effect::Finished&) const { return "finished"; }
    };
    std::string text;
    for (const Effect& effect : effects()) text += (text.empty() ? "" : " ") + std::visit(Word{}, effect);
    return text;
}

}  // namespace vigil::core::testing
