#include "property/world.hpp"

#include <cerrno>
#include <utility>

namespace vigil::core::simulation {

using Phase = Process::Phase;

void World::spawn(const effect::Spawn& effect) {
    Process process;
    process.task = effect.task;
    process.generation = effect.generation;
    process.spec = effect.spec;
    processes_.insert_or_assign({effect.task, effect.generation}, std::move(process));
}

void World::signal(const effect::Signal& effect) {
    // A signal before the exec finds no process that the owner could name yet.
    if (Process* process = find(effect.task, effect.generation); process != nullptr && process->pid != 0)
        process->asked_to_end = true;
}

void World::run_stop_command(const effect::RunStopCommand& effect) {
    if (Process* process = find(effect.task, effect.generation)) process->stop_command_runs = true;
}

void World::end_stop_command(Process& process, bool done) {
    process.stop_command_runs = false;
    if (done) process.asked_to_end = true;
    tell(process, event::StopCommandEnded{process.generation, done});
}

void World::kill_tree(const effect::KillTree& effect) {
    Process* process = find(effect.task, effect.generation);
    if (process == nullptr) return;
    // Too early to find anything: the tree looks empty, although a process is about to be made.
    if (process->phase == Phase::asked) return tell(*process, event::TreeEmpty{process->generation});
    if (!process->alive()) return;
    if (process->survives_kills > 0) {
        --process->survives_kills;
        return;
    }
    if (process->phase == Phase::made) return refuse(*process, ESRCH);
    while (process->children > 0) end_child(*process);
    if (process->phase == Phase::running) end_main(*process, {ExitStatus::Kind::signal, 0, 9, false});
}

void World::freeze(const effect::Freeze& effect) {
    if (Process* process = find(effect.task, effect.generation)) process->frozen = effect.frozen;
}

void World::release(const effect::Release& effect) {
    processes_.erase({effect.task, effect.generation});
}

void World::read_all(Supervisor& supervisor, TimePoint now) {
    read_at_ = now;
    for (auto& [key, process] : processes_) {
        for (; process.arrived_messages > 0; --process.arrived_messages) {
            if (process.messages.front().beat) process.heard_at = now;
            supervisor.handle(process.task, std::move(process.messages.front()), now);
            process.messages.pop_front();
        }
        for (; process.arrived_news > 0; --process.arrived_news) {
            supervisor.handle(process.task, std::move(process.news.front()), now);
            process.news.pop_front();
        }
    }
}

void World::make(Process& process) {
    process.phase = Phase::made;
}

void World::exec(Process& process) {
    process.phase = Phase::running;
    process.pid = next_pid_++;
    tell(process, event::Spawned{process.generation, process.pid});
}

void World::refuse(Process& process, int error) {
    process.phase = Phase::gone;
    tell(process, event::SpawnFailed{process.generation, {SpawnStage::exec, error, ""}});
}

void World::fork(Process& process) {
    ++process.children;
}

void World::say(Process& process, event::Notified message) {
    message.generation = process.generation;
    process.asked_for_time |= message.extend_timeout.has_value();
    process.messages.push_back(std::move(message));
}

void World::end_main(Process& process, ExitStatus how) {
    process.phase = process.children > 0 ? Phase::left : Phase::gone;
    tell(process, event::Exited{process.generation, how, process.children == 0});
}

void World::end_child(Process& process) {
    --process.children;
    if (process.children > 0 || process.phase != Phase::left) return;
    process.phase = Phase::gone;
    tell(process, event::TreeEmpty{process.generation});
}

std::map<World::Key, Process> World::change_owner() {
    for (auto& [key, process] : processes_) {
        process.news.clear();
        process.arrived_news = 0;
        process.stop_command_runs = false;
        process.frozen = false;
        // A child that is past its clone needs no parent to get to its exec.
        if (process.phase != Phase::made) continue;
        process.phase = Phase::running;
        process.pid = next_pid_++;
    }
    return std::exchange(processes_, {});
}

void World::take_in(TaskId task, Process process) {
    process.task = task;
    processes_.insert_or_assign({task, process.generation}, std::move(process));
}

void World::arrive(Process& process) {
    process.arrived_news = process.news.size();
    process.arrived_messages = process.messages.size();
}

Process* World::find(TaskId task, Generation generation) {
    const auto found = processes_.find({task, generation});
    return found == processes_.end() ? nullptr : &found->second;
}

}  // namespace vigil::core::simulation
