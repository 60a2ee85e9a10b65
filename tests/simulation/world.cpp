#include "simulation/world.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace vigil::core::simulation {

using Phase = Process::Phase;
using Target = effect::SignalTarget;

namespace {

event::Notified beat_of(const Process& process) {
    event::Notified message;
    message.generation = process.generation;
    message.beat = true;
    // Said with every beat, as a worker does that cannot tell whether anybody heard it.
    message.ready = process.born->ready.on == ReadyOn::notify;
    return message;
}

}  // namespace

void World::spawn(const effect::Spawn& effect) {
    Process process;
    process.task = effect.task;
    process.generation = effect.generation;
    process.spec = process.born = effect.spec;
    process.held = hold_spawns_;
    Process& made =
        processes_.insert_or_assign({effect.task, effect.generation}, std::move(process)).first->second;
    // A spawn thread may be so quick that the process is there before the next effect.
    if (!hold_spawns_ && tape_.one_in(4)) make(made);
}

void World::signal(const effect::Signal& effect) {
    // A signal before the exec finds no process that the owner could name yet.
    Process* process = find(effect.task, effect.generation);
    if (process == nullptr || !process->reported) return;
    if (effect.to != Target::outside_group) process->main_asked = true;
    if (effect.to == Target::group || effect.to == Target::tree) process->children_asked = true;
    if (effect.to == Target::outside_group || effect.to == Target::tree) process->escaped_asked = true;
}

void World::run_stop_command(const effect::RunStopCommand& effect) {
    if (Process* process = find(effect.task, effect.generation)) process->stop_command_runs = true;
}

void World::end_stop_command(Process& process, bool done) {
    process.stop_command_runs = false;
    if (done) process.main_asked = true;
    tell(process, event::StopCommandEnded{process.generation, done});
}

void World::kill_tree(const effect::KillTree& effect) {
    Process* process = find(effect.task, effect.generation);
    if (process == nullptr) return;
    if (process->phase == Phase::asked) {
        // Taken out of the queue, or too late for that: then the tree looks empty, although a process is
        // about to be made, and that one is killed when it arrives.
        if (process->held || tape_.one_in(2)) return refuse(*process, ECANCELED);
        process->kill_on_arrival = true;
        if (tape_.one_in(2)) tell(*process, event::TreeEmpty{process->generation});
        return;
    }
    if (!process->alive()) return;
    if (process->survives_kills > 0) {
        --process->survives_kills;
        return;
    }
    if (process->phase == Phase::made) return refuse(*process, ESRCH);
    while (process->children > 0) end_child(*process);
    while (process->escaped > 0) end_escaped(*process);
    if (process->phase == Phase::running) end_main(*process, {ExitStatus::Kind::signal, 0, SIGKILL, false});
}

void World::freeze(const effect::Freeze& effect) {
    Process* process = find(effect.task, effect.generation);
    if (process == nullptr) return;
    if (effect.frozen) process->frozen_at = supervised_;
    if (!effect.frozen) process->sign_at += supervised_ - process->frozen_at;
    process->frozen = effect.frozen;
    if (!effect.frozen) send_beats(*process);
}

void World::release(const effect::Release& effect) {
    processes_.erase({effect.task, effect.generation});
}

std::optional<TimePoint> World::read(Supervisor& supervisor, TimePoint now) {
    std::size_t most = processes_.size();
    if (most > 1 && tape_.one_in(8)) most = tape_.below(static_cast<std::uint32_t>(most));
    for (auto& [key, process] : processes_) {
        if (most-- == 0) return std::nullopt;
        read_messages(process, supervisor, now);
        for (; process.arrived_news > 0; --process.arrived_news) {
            supervisor.handle(process.task, std::move(process.news.front()), now);
            process.news.pop_front();
        }
    }
    return now;
}

void World::read_messages(Process& process, Supervisor& supervisor, TimePoint now) {
    while (!process.messages.empty()) {
        event::Notified message = std::move(process.messages.front());
        process.messages.pop_front();
        // The sender that waited for room has it now.
        if (std::exchange(process.blocked, false)) {
            process.messages.push_back(beat_of(process));
            process.next_beat = now_ + process.beats_every;
        }
        process.untold = true;
        if (message.trigger) process.sign_is_exact = false;
        if (message.beat) process.heard_at = supervised_;
        if (message.beat) process.beaten = true;
        const bool new_timeout = message.watchdog && *message.watchdog > Duration::zero();
        if (message.beat || new_timeout) {
            process.sign_at = process.frozen ? process.frozen_at : supervised_;
            process.sign_is_exact = process.sign_is_exact || message.beat;
        }
        supervisor.handle(process.task, std::move(message), now);
    }
}

void World::pass_until(TimePoint now) {
    now_ = now;
    for (auto& [key, process] : processes_) send_beats(process);
}

/// All that came due by its clock, of which the queue takes what it has room for.
void World::send_beats(Process& process) {
    if (process.phase != Phase::running || process.frozen || process.blocked || process.next_beat > now_)
        return;
    const auto due = static_cast<std::uint64_t>((now_ - process.next_beat) / process.beats_every) + 1;
    const std::size_t room = queue_room_ - std::min(queue_room_, process.messages.size());
    const std::uint64_t sent = std::min<std::uint64_t>(due, room);
    for (std::uint64_t i = 0; i < sent; ++i) process.messages.push_back(beat_of(process));
    process.blocked = process.waits_for_room && sent < due;
    process.next_beat += process.beats_every * static_cast<Duration::rep>(due);
}

void World::beat_every(Process& process, Duration period) {
    process.beats_every = period;
    process.next_beat = now_;
    send_beats(process);
}

void World::make(Process& process) {
    process.phase = Phase::made;
    process.pid = next_pid_++;
    // CLONE_PARENT_SETTID
    if (pid_t* word = book_.pid_word(process.task)) *word = process.pid;
}

void World::exec(Process& process) {
    process.phase = Phase::running;
    process.reported = true;
    tell(process, event::Spawned{process.generation, process.pid});
    if (!process.kill_on_arrival || process.survives_kills > 0) return;
    end_main(process, {ExitStatus::Kind::signal, 0, SIGKILL, false});
}

void World::refuse(Process& process, int error) {
    process.phase = Phase::gone;
    tell(process, event::SpawnFailed{process.generation, {SpawnStage::exec, error, "refused"}});
}

void World::fork(Process& process, bool leaves_group) {
    leaves_group ? ++process.escaped : ++process.children;
}

void World::say(Process& process, event::Notified message) {
    if (process.messages.size() >= queue_room_ || process.blocked) return;
    message.generation = process.generation;
    process.asked_for_time |= message.extend_timeout.has_value();
    process.messages.push_back(std::move(message));
}

void World::end_main(Process& process, ExitStatus how) {
    process.next_beat = kNever;
    process.blocked = false;
    process.phase = process.others() > 0 ? Phase::left : Phase::gone;
    tell(process, event::Exited{process.generation, how, process.others() == 0});
}

void World::end_child(Process& process) {
    --process.children;
    end_if_empty(process);
}

void World::end_escaped(Process& process) {
    --process.escaped;
    end_if_empty(process);
}

void World::end_if_empty(Process& process) {
    if (process.others() > 0 || process.phase != Phase::left) return;
    process.phase = Phase::gone;
    tell(process, event::TreeEmpty{process.generation});
}

void World::hold_spawns(bool held) {
    hold_spawns_ = held;
    if (held) return;
    for (auto& [key, process] : processes_) process.held = false;
}

std::map<World::Key, Process> World::change_owner(bool in_place) {
    for (auto& [key, process] : processes_) {
        process.beaten = false;
        process.heard_at.reset();
        if (in_place) continue;
        process.news.clear();
        process.arrived_news = 0;
        process.stop_command_runs = false;
        process.frozen = false;
        process.kill_on_arrival = false;
        // It was read and is lost. The process has done what it could.
        if (std::exchange(process.untold, false)) {
            process.beats_every = {};
            process.next_beat = kNever;
            process.blocked = false;
        }
        if (process.phase == Phase::made) process.phase = Phase::running;
        process.reported = process.reported || process.alive();
        send_beats(process);
    }
    return std::exchange(processes_, {});
}

Process& World::take_in(TaskId task, Process process) {
    process.task = task;
    return processes_.insert_or_assign({task, process.generation}, std::move(process)).first->second;
}

Process* World::find(TaskId task, Generation generation) {
    const auto found = processes_.find({task, generation});
    return found == processes_.end() ? nullptr : &found->second;
}

}  // namespace vigil::core::simulation
