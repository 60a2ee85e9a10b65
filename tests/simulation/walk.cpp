#include "simulation/walk.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "base/quantity.hpp"

namespace vigil::core::simulation {
namespace {

using namespace std::chrono_literals;
using Phase = Process::Phase;

constexpr int kErrors[] = {ENOENT, EACCES, EAGAIN, ETXTBSY};
constexpr std::size_t kRooms[] = {10, 1, 3, 16};

}  // namespace

Walk::Walk(Tape& tape, const TableFile& file, bool telling)
    : tape_((tape.begin_step(), tape)),
      promises_(telling),
      rules_{.max_starting = 1 + below(3), .max_dead_fraction = std::nullopt, .seed = below(1U << 31U)},
      supervisor_(rules_),
      book_(file),
      world_(tape_, book_, kRooms[below(4)]),
      clients_(promises_, world_),
      witness_({promises_, supervisor_, world_, book_, clients_}, rules_),
      engine_(supervisor_,
              {.processes = witness_, .announcements = witness_, .signs = world_, .records = witness_}) {
    world_.pass_until(now_);
    witness_.expect(now_);
}

void Walk::run(std::size_t steps) {
    for (std::size_t i = 0; i < steps && promises_.kept(); ++i) {
        tape_.begin_step();
        ++steps_;
        step();
    }
    tape_.end_of_story();
    if (promises_.kept()) end();
}

void Walk::step() {
    const std::uint32_t kind = below(100);
    if (kind < 6) return turn();
    if (kind < 45) return something_happens();
    if (kind < 68) return pass_time();
    if (kind < 82) return give_orders();
    if (kind < 91) return forge_event();
    if (kind < 95) return add_task();
    if (kind < 96) return reload();
    if (kind < 97) return clients_.leave(below(16));
    if (kind < 99) return crash();
    return upgrade();
}

void Walk::add_task() {
    SpecPtr spec = some_spec(some_name());
    if (telling()) tell("add " + spec->name);
    witness_.add(std::move(spec), now_);
    turn();
}

void Walk::order(TaskId task, std::uint32_t kind, std::optional<Ticket> ticket) {
    constexpr const char* kKinds[] = {"start",  "stop",   "restart", "kill",  "kill now",
                                      "remove", "change", "pause",   "resume"};
    const Cause by{cause::ByOperator{}};
    const Event orders[] = {event::Start{by},       event::Stop{by, false}, event::Restart{by},
                            event::Kill{by, false}, event::Kill{by, true},  event::Remove{by},
                            changed_spec(task),     event::Pause{by},       event::Resume{by}};
    constexpr Goal kGoals[] = {Goal::running, Goal::stopped, Goal::restarted, Goal::dead,   Goal::dead,
                               Goal::removed, Goal::healthy, Goal::exited,    Goal::healthy};
    if (telling())
        tell(std::string("order ") + kKinds[kind] + " " + name_of(task) + (ticket ? " and wait" : ""));
    const Generation before = supervisor_.report(task, now_)->generation;
    witness_.order(task, orders[kind], now_);
    const auto after = supervisor_.report(task, now_);
    if (ticket && after) clients_.wait(*ticket, kGoals[kind], *after, before);
}

void Walk::give_orders() {
    // An order may be what wakes a daemon that has slept through a deadline.
    if (one_in(6)) {
        now_ += up_to(one_in(4) ? Duration(1h) : Duration(3s));
        world_.pass_until(now_);
        if (telling()) tell("an order wakes the daemon");
    }
    for (std::uint32_t left = 1 + below(8) / 7; left > 0; --left) {
        const std::optional<Ticket> ticket = one_in(2) ? std::optional(clients_.new_ticket()) : std::nullopt;
        const std::uint32_t kind = below(9);
        const auto all = supervisor_.ids_by_name();
        if (all.empty()) break;
        if (one_in(12)) {
            for (const TaskId task : all) order(task, kind, ticket);
        } else {
            order(all[below(static_cast<std::uint32_t>(all.size()))], kind, ticket);
        }
    }
    turn();
}

/// Many changes at once, in one turn.
void Walk::reload() {
    if (telling()) tell("reload");
    for (const TaskId task : supervisor_.ids_by_name()) {
        const std::uint32_t what = below(4);
        if (what == 1 || what == 2) order(task, 6, std::nullopt);
        if (what == 3) order(task, 5, std::nullopt);
    }
    for (std::uint32_t added = below(3); added > 0; --added) witness_.add(some_spec(some_name()), now_);
    if (one_in(2)) witness_.set_max_starting(1 + below(3));
    turn();
}

void Walk::forge_event() {
    turn();
    const auto task = supervisor_.find(some_name());
    if (!task) return;
    const auto report = supervisor_.report(*task, now_);
    const auto present = static_cast<std::uint32_t>(report->generation);
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
    if (telling())
        tell("an event of run " + std::to_string(static_cast<std::uint64_t>(generation)) + " for " +
             name_of(*task));
    witness_.forge(*task, events[below(std::size(events))], now_);
}

void Walk::pass_time() {
    const TimePoint due = supervisor_.next_deadline();
    const bool any = due != kNever && due > now_;
    switch (below(9)) {
        case 0: return be_prompt_until(now_ + up_to(5s));
        case 1:
        case 2: return sleep_until(any ? due : now_ + up_to(1s));
        case 3: return sleep_until((any ? due : now_) + up_to(20ms));
        case 4: return sleep_until(now_ + up_to(1500ms));
        case 5: return be_prompt_until(now_ + up_to(90s));
        case 6: return sleep_until(now_ + up_to(20s));
        case 7: return sleep_until(now_ + up_to(one_in(4) ? Duration(2h) : Duration(2min)));
        case 8: return be_frozen_until(now_ + up_to(one_in(4) ? Duration(2h) : Duration(10s)));
    }
}

/// The daemon sleeps, the tasks do not.
void Walk::sleep_until(TimePoint then) {
    now_ = std::max(now_, then);
    if (telling()) tell("the daemon sleeps");
    world_.pass_until(now_);
    turn();
}

/// Everybody sleeps, and the daemon is the first to wake.
void Walk::be_frozen_until(TimePoint then) {
    // One that comes so little late cannot be told from one whose timer was late.
    const TimePoint due = supervisor_.next_deadline();
    if (due != kNever && then >= due && then <= due + kAwayThreshold) then = due + kAwayThreshold + 1ms;
    now_ = std::max(now_, then);
    if (telling()) tell("everything was frozen");
    world_.freeze_until(now_);
    turn();
    world_.pass_until(now_);
}

/// The daemon wakes at each of its deadlines, for as many as a step is to have.
void Walk::be_prompt_until(TimePoint then) {
    for (int turns = 0; turns < 6 && now_ < then && promises_.kept(); ++turns) {
        const TimePoint due = supervisor_.next_deadline();
        now_ = due == kNever ? then : std::clamp(due, now_, then);
        if (telling()) tell("the daemon is prompt");
        world_.pass_until(now_);
        turn();
    }
}

void Walk::turn() {
    for (auto& [key, process] : world_.processes())
        if (!one_in(4)) world_.arrive(process);
    witness_.expect(now_);
    try {
        while (!engine_.turn(now_)) continue;
    } catch (const Crash&) {
        return die();
    }
    witness_.look(now_);
}

/// The daemon is gone. Life goes on for a while; then comes the next daemon.
void Walk::die() {
    if (telling()) tell("the daemon is killed");
    if (one_in(2)) {
        now_ += up_to(one_in(8) ? Duration(2h) : Duration(10s));
        world_.pass_until(now_);
    }
    if (one_in(2)) something_happens();
    if (telling()) tell("the next daemon takes over");
    witness_.recover(now_);
    if (one_in(4)) witness_.crash_after(below(6));
    turn();
}

/// Now, or in the middle of a turn to come.
void Walk::crash() {
    if (!one_in(3)) return witness_.crash_after(below(8));
    die();
}

void Walk::upgrade() {
    if (telling()) tell("the daemon is to be upgraded");
    world_.hold_spawns(true);
    bool settled = false;
    for (int round = 0; round < 10 && !settled && promises_.kept(); ++round) {
        settled = true;
        for (auto& [key, process] : world_.processes()) {
            if (process.held) continue;
            if (process.phase == Phase::asked) world_.make(process);
            if (process.phase == Phase::made && one_in(8)) world_.refuse(process, ENOENT);
            if (process.phase == Phase::made) come_up(process);
            world_.arrive(process);
            settled = settled && process.news.empty();
        }
        if (!settled) turn();
    }
    world_.hold_spawns(false);
    // What has no process yet now was asked for before and did not come.
    for (auto& [key, process] : world_.processes()) settled = settled && process.phase != Phase::made;
    if (!settled || witness_.shutting_down() || !promises_.kept()) return;
    try {
        engine_.write_all(now_);
    } catch (const Crash&) {
        return die();
    }
    witness_.go_on_in_place(now_);
    turn();
}

void Walk::something_happens() {
    if (world_.processes().empty()) return;
    auto chosen = world_.processes().begin();
    std::advance(chosen, below(static_cast<std::uint32_t>(world_.processes().size())));
    progress(chosen->second);
}

void Walk::progress(Process& process) {
    switch (process.phase) {
        case Phase::asked:
            return one_in(8) ? world_.refuse(process, kErrors[below(4)]) : world_.make(process);
        case Phase::made:
            if (one_in(8)) return;
            return one_in(8) ? world_.refuse(process, kErrors[below(4)]) : come_up(process);
        case Phase::running:
            if (process.stop_command_runs && one_in(3)) return world_.end_stop_command(process, one_in(2));
            return process.frozen ? void() : run_on(process);
        case Phase::left:
            if (process.frozen || one_in(2)) return;
            return process.children > 0 ? world_.end_child(process) : world_.end_escaped(process);
        case Phase::gone: return;
    }
}

void Walk::come_up(Process& process) {
    if (telling()) tell("the process of " + name_of(process.task) + " comes up");
    world_.exec(process);
    if (process.phase != Phase::running || !process.born->heartbeat || one_in(2)) return;
    const Duration timeout = process.born->heartbeat->timeout;
    process.waits_for_room = one_in(2);
    const Duration periods[] = {timeout / 3, timeout / 8, timeout - 3 * kAwayThreshold};
    world_.beat_every(process, periods[below(3)]);
}

void Walk::run_on(Process& process) {
    if (process.main_asked && !process.ignores_signals && one_in(3)) {
        if (telling()) tell("the process of " + name_of(process.task) + " obeys and ends");
        return world_.end_main(process, some_end());
    }
    const bool beats = process.beats_every > Duration::zero();
    switch (below(16)) {
        case 1:
            if (telling()) tell("the process of " + name_of(process.task) + " ends");
            return world_.end_main(process, some_end());
        case 2: return world_.fork(process, false);
        case 3: return world_.fork(process, true);
        case 4: return process.children > 0 ? world_.end_child(process) : void();
        case 5: return process.escaped > 0 ? world_.end_escaped(process) : void();
        case 6: process.ignores_signals = process.children_ignore_signals = true; return;
        case 7: process.survives_kills = static_cast<unsigned>(one_in(8) ? 100 : below(3)); return;
        default:
            if (beats) return;
            if (telling()) tell("the process of " + name_of(process.task) + " says something");
            return world_.say(process, some_message());
    }
}

void Walk::tell(const std::string& what) {
    const Duration since = now_.time_since_epoch() - std::chrono::hours(1);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
    std::string stamp = std::to_string(ms / 1000) + "." + std::to_string(1000 + ms % 1000).substr(1);
    promises_.tell(std::string(stamp.size() < 10 ? 10 - stamp.size() : 0, ' ') + stamp + " s  " + what);
}

std::string Walk::name_of(TaskId task) const {
    const SpecPtr* spec = supervisor_.spec(task);
    return spec != nullptr ? (*spec)->name : "#" + std::to_string(static_cast<std::uint32_t>(task));
}

}  // namespace vigil::core::simulation
