// What tasks, messages and ends there are.
#include <csignal>
#include <memory>

#include "simulation/walk.hpp"

namespace vigil::core::simulation {

using namespace std::chrono_literals;

const char* Walk::some_name() {
    constexpr const char* kNames[] = {"a", "b", "c", "d", "e", "f"};
    return kNames[below(std::size(kNames))];
}

SpecPtr Walk::some_spec(std::string name) {
    constexpr Duration kTimeouts[] = {2s, 500ms, 30s};
    constexpr Duration kDelays[] = {1s, 0s, 100ms};
    auto spec = std::make_shared<TaskSpec>();
    spec->name = std::move(name);
    spec->command = {"/bin/true"};
    spec->autostart = !one_in(6);
    if (one_in(2)) {
        spec->heartbeat = HeartbeatRule{};
        spec->heartbeat->timeout = kTimeouts[below(3)];
    }
    switch (below(3)) {
        case 0: break;
        case 1:
            spec->ready = {ReadyOn::notify, 10s};
            if (one_in(8)) spec->ready.timeout.reset();
            break;
        case 2:
            if (spec->heartbeat) spec->ready = {ReadyOn::heartbeat, 3s};
            break;
    }
    RestartRule& restart = spec->restart.edit();
    restart.policy = static_cast<RestartPolicy>(below(3));
    restart.base_delay = kDelays[below(3)];
    restart.stable_after = one_in(2) ? 5s : 80s;
    restart.max_attempts = one_in(5) ? std::nullopt : std::optional<unsigned>(below(5));
    restart.when_exhausted = one_in(4) ? WhenExhausted::keep_trying : WhenExhausted::dead;
    spec->stop.edit().timeout = one_in(6) ? 0s : one_in(2) ? 2s : 10s;
    spec->stop.edit().to = one_in(3) ? StopTarget::main : StopTarget::group;
    if (one_in(4)) spec->stop.edit().further = {{SIGINT, 1s}, {SIGQUIT, one_in(2) ? 0s : 3s}};
    if (one_in(4)) spec->stop.edit().command = {"/bin/ask"};
    return spec;
}

/// What cannot change in a run changes only together with a restart.
event::NewSpec Walk::changed_spec(TaskId task) {
    const TaskSpec& before = **supervisor_.spec(task);
    TaskSpec after = *some_spec(before.name);
    const bool restart = one_in(2);
    if (!restart) {
        after.launch = before.launch;
        after.ready.on = before.ready.on;
        after.heartbeat = before.heartbeat;
        if (after.heartbeat) after.heartbeat->initial_delay = one_in(2) ? 3s : 1s;
        if (before.ready.timeout) after.ready.timeout = one_in(2) ? 10s : 3s;
        if (!before.ready.timeout) after.ready.timeout.reset();
    }
    return {std::make_shared<const TaskSpec>(std::move(after)), restart};
}

ExitStatus Walk::some_end() {
    switch (below(4)) {
        case 0: return {ExitStatus::Kind::code, 0, 0, false};
        case 1: return {ExitStatus::Kind::code, 3, 0, false};
        case 2: return {ExitStatus::Kind::signal, 0, SIGSEGV, true};
        default: return {};
    }
}

event::Notified Walk::some_message() {
    event::Notified message;
    message.beat = one_in(2);
    message.ready = one_in(3);
    switch (below(40)) {
        case 1: message.trigger = true; break;
        case 2: message.stopping = true; break;
        case 3: message.reloading = true; break;
        case 4:
        case 5: message.watchdog = up_to(5s) - 1s; break;
        case 6:
        case 7: message.extend_timeout = up_to(20s); break;
        case 8:
        case 9: message.status = "busy"; break;
        case 10: message.main_pid = 7; break;
        default: break;
    }
    return message;
}

/// To the millisecond, as deadlines are: so times meet.
Duration Walk::up_to(Duration limit) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
    return std::chrono::milliseconds(below(static_cast<std::uint32_t>(milliseconds) + 1));
}

}  // namespace vigil::core::simulation
