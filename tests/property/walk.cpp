#include "property/walk.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <limits>
#include <memory>

namespace vigil::core::simulation {
namespace {

using namespace std::chrono_literals;
using Phase = Process::Phase;

constexpr std::size_t kTasks = 6;
constexpr std::size_t kTraceLength = 40;
constexpr const char* kNames[kTasks] = {"a", "b", "c", "d", "e", "f"};

}  // namespace

Walk::Walk(std::uint64_t seed)
    : random_(seed),
      rules_{.max_starting = static_cast<unsigned>(1 + seed % 3),
             .max_dead_fraction = std::nullopt,
             .seed = seed},
      supervisor_(rules_),
      witness_(supervisor_, world_, rules_),
      engine_(supervisor_,
              {.processes = witness_, .announcements = witness_, .signs = world_, .records = witness_}) {}

void Walk::run(std::size_t steps) {
    for (std::size_t i = 0; i < steps && broken().empty(); ++i) step();
    if (broken().empty()) shut_down();
}

void Walk::step() {
    ++steps_;
    const std::uint64_t kind = below(100);
    if (kind < 40) return something_happens();
    if (kind < 65) return pass_time();
    if (kind < 80) return give_order();
    if (kind < 90) return forge_event();
    if (kind < 94) return add_task();
    if (kind < 95) return crash();
    turn();
}

void Walk::add_task() {
    SpecPtr spec = some_spec();
    note("add " + spec->name);
    (void)supervisor_.add(std::move(spec), now_);
    turn();
}

void Walk::give_order() {
    const auto task = supervisor_.find(kNames[below(kTasks)]);
    if (!task) return;
    const Cause by{cause::ByOperator{}};
    const Event orders[] = {event::Start{by},       event::Stop{by, false}, event::Restart{by},
                            event::Kill{by, false}, event::Kill{by, true},  event::Pause{by},
                            event::Resume{by},      event::Remove{by},      changed_spec(*task)};
    const std::size_t chosen = below(std::size(orders));
    note("order " + std::to_string(chosen) + " to " + std::to_string(static_cast<std::uint32_t>(*task)));
    witness_.order(*task, orders[chosen], now_);
}

/// What cannot change in a run changes only together with a restart.
event::NewSpec Walk::changed_spec(TaskId task) {
    const TaskSpec& before = **supervisor_.report(task, now_)->spec;
    TaskSpec after = *some_spec();
    after.name = before.name;
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

void Walk::forge_event() {
    const auto task = supervisor_.find(kNames[below(kTasks)]);
    if (!task) return;
    turn();
    const auto report = supervisor_.report(*task, now_);
    if (!report) return;
    const auto present = static_cast<std::uint64_t>(report->generation);
    const Generation generation{below(present + 3)};
    if (generation == report->generation && world_.find(*task, generation) != nullptr) return;
    event::Notified message = some_message();
    message.generation = generation;
    const Event events[] = {event::Spawned{generation, 1},
                            event::SpawnFailed{generation, {SpawnStage::exec, 2, ""}},
                            event::Exited{generation, some_end(), one_in(2)},
                            event::TreeEmpty{generation},
                            event::StopCommandEnded{generation, one_in(2)},
                            std::move(message)};
    witness_.forge(*task, events[below(std::size(events))], now_);
}

void Walk::pass_time() {
    const TimePoint due = supervisor_.next_deadline();
    switch (below(8)) {
        case 0:
        case 1:
        case 2: now_ += up_to(1500ms); break;
        case 3:
        case 4:
        case 5:
            if (due != kNever) now_ = std::max(now_, due);
            break;
        case 6: now_ += up_to(20s); break;
        case 7: now_ += up_to(2h); break;
    }
    note("time " + std::to_string(now_.time_since_epoch().count()));
    turn();
}

void Walk::turn() {
    for (auto& [key, process] : world_.processes())
        if (!one_in(4)) world_.arrive(process);
    const Duration asleep = now_ - last_turn_;
    const TimePoint due = supervisor_.next_deadline();
    const bool away = due != kNever && now_ - due > kAwayThreshold;
    const Duration certain = away ? std::max(due - last_turn_ - kAwayGrace, Duration::zero()) : asleep;
    last_turn_ = now_;
    try {
        engine_.turn(now_);
    } catch (const Crash&) {
        note("crash");
        witness_.recover(now_);
        return turn();
    }
    witness_.look(now_, certain);
}

/// Now, or in the middle of a turn to come.
void Walk::crash() {
    if (!one_in(3)) return witness_.crash_after(below(6));
    note("crash between turns");
    witness_.recover(now_);
    turn();
}

void Walk::something_happens() {
    if (world_.processes().empty()) return;
    auto chosen = world_.processes().begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(below(world_.processes().size())));
    progress(chosen->second);
}

void Walk::progress(Process& process) {
    note("process " + std::to_string(static_cast<std::uint32_t>(process.task)) + " in phase " +
         std::to_string(static_cast<int>(process.phase)));
    constexpr int kErrors[] = {ENOENT, EACCES, EAGAIN, ETXTBSY};
    switch (process.phase) {
        case Phase::asked:
            return one_in(8) ? world_.refuse(process, kErrors[below(4)]) : world_.make(process);
        case Phase::made: return one_in(8) ? world_.refuse(process, kErrors[below(4)]) : world_.exec(process);
        case Phase::running:
            if (process.stop_command_runs && one_in(3)) return world_.end_stop_command(process, one_in(2));
            return process.frozen ? void() : run_on(process);
        case Phase::left: return process.frozen || one_in(2) ? void() : world_.end_child(process);
        case Phase::gone: return;
    }
}

void Walk::run_on(Process& process) {
    if (process.asked_to_end && !process.ignores_signals && one_in(3))
        return world_.end_main(process, some_end());
    switch (below(16)) {
        case 0: return world_.end_main(process, some_end());
        case 1: return world_.fork(process);
        case 2: return process.children > 0 ? world_.end_child(process) : void();
        case 3: process.ignores_signals = true; return;
        case 4: process.survives_kills = static_cast<unsigned>(one_in(8) ? 100 : below(3)); return;
        default: return world_.say(process, some_message());
    }
}

void Walk::shut_down() {
    note("shut down");
    witness_.crash_after(std::numeric_limits<std::size_t>::max());
    witness_.shut_down(one_in(4), now_);
    // What nobody ends by SIGKILL can only be a spawn on its way; it is refused or comes up, and is then
    // ended.
    for (std::size_t round = 0; round < 2000 && !witness_.is_finished() && broken().empty(); ++round) {
        if (one_in(20)) witness_.shut_down(true, now_);
        if (one_in(4)) give_order();
        for (auto& [key, process] : world_.processes())
            if (process.phase == Phase::asked || process.phase == Phase::made) progress(process);
        const TimePoint due = supervisor_.next_deadline();
        now_ = due == kNever ? now_ + 1ms : std::max(now_, due);
        turn();
    }
    now_ += 24h;
    turn();
}

SpecPtr Walk::some_spec() {
    auto spec = std::make_shared<TaskSpec>();
    spec->name = kNames[below(kTasks)];
    spec->launch.command = {"/bin/true"};
    spec->autostart = !one_in(6);
    if (one_in(2)) spec->heartbeat = HeartbeatRule{};
    switch (below(3)) {
        case 0: break;
        case 1: spec->ready = {ReadyOn::notify, 10s}; break;
        case 2:
            if (spec->heartbeat) spec->ready = {ReadyOn::heartbeat, 3s};
            break;
    }
    RestartRule& restart = spec->restart;
    restart.policy = static_cast<RestartPolicy>(below(3));
    restart.base_delay = one_in(4) ? 0s : 1s;
    restart.stable_after = one_in(2) ? 5s : 80s;
    restart.max_attempts = one_in(5) ? std::nullopt : std::optional(static_cast<unsigned>(below(5)));
    restart.when_exhausted = one_in(4) ? WhenExhausted::keep_trying : WhenExhausted::dead;
    spec->stop.timeout = one_in(6) ? 0s : one_in(2) ? 2s : 10s;
    spec->stop.to = one_in(3) ? StopTarget::main : StopTarget::group;
    if (one_in(4)) spec->stop.further = {{SIGINT, 1s}, {SIGQUIT, one_in(2) ? 0s : 3s}};
    if (one_in(4)) spec->stop.command = {"/bin/ask"};
    return spec;
}

ExitStatus Walk::some_end() {
    switch (below(4)) {
        case 0: return {ExitStatus::Kind::code, 0, 0, false};
        case 1: return {ExitStatus::Kind::code, 3, 0, false};
        case 2: return {ExitStatus::Kind::signal, 0, 11, true};
        default: return {};
    }
}

event::Notified Walk::some_message() {
    event::Notified message;
    message.beat = one_in(2);
    message.ready = one_in(3);
    message.trigger = one_in(40);
    message.stopping = one_in(40);
    message.reloading = one_in(40);
    if (one_in(20)) message.watchdog = up_to(5s) - 1s;
    if (one_in(20)) message.extend_timeout = up_to(20s);
    if (one_in(20)) message.status = "busy";
    if (one_in(40)) message.main_pid = 7;
    return message;
}

Duration Walk::up_to(Duration limit) {
    return Duration(static_cast<Duration::rep>(below(static_cast<std::uint64_t>(limit.count()))));
}

void Walk::note(std::string what) {
    if (trace_.size() == kTraceLength) trace_.erase(trace_.begin());
    trace_.push_back(std::move(what));
}

std::string Walk::trace() const {
    std::string text;
    for (const std::string& line : trace_) text += line + '\n';
    return text;
}

}  // namespace vigil::core::simulation
