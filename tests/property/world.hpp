// A world without a kernel: processes that are made, speak, fork, ignore signals and end, all by hand and in
// no time. It obeys the supervisor's effects as Linux would, late or too early where Linux may be, and hands
// over what has happened. It decides nothing and checks nothing: whoever drives it does (a random walk, a
// simulation).
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "core/engine.hpp"

namespace vigil::core::simulation {

/// One run's process tree.
struct Process {
    enum class Phase : std::uint8_t {
        asked,    ///< Spawn was carried out, nothing exists yet
        made,     ///< cloned, before its exec
        running,  ///< the main process lives
        left,     ///< only children of the main process live
        gone,     ///< nothing lives
    };

    TaskId task{};
    Generation generation{};
    SpecPtr spec;
    Phase phase = Phase::asked;
    pid_t pid = 0;
    unsigned children = 0;

    // Its nature.
    bool ignores_signals = false;
    unsigned survives_kills = 0;  ///< SIGKILLs that find it in a state in which it cannot die yet

    // What was done to it.
    bool asked_to_end = false;
    bool stop_command_runs = false;
    bool frozen = false;
    bool asked_for_time = false;  ///< it has sent EXTEND_TIMEOUT_USEC

    // What it did and the owner has not read yet. Messages travel apart from what the kernel tells, so either
    // may overtake the other; the first `arrived_*` of each can be read.
    std::deque<Event> news;
    std::deque<event::Notified> messages;
    std::optional<TimePoint> heard_at;  ///< when the owner read its last heartbeat
    std::size_t arrived_news = 0;
    std::size_t arrived_messages = 0;

    [[nodiscard]] bool alive() const { return phase != Phase::asked && phase != Phase::gone; }
};

class World final : public ProcessPort, public SignsPort {
  public:
    using Key = std::pair<TaskId, Generation>;

    // Effects of the supervisor. Those for a process that is gone or was never there find nothing.
    void spawn(const effect::Spawn& effect) override;
    void signal(const effect::Signal& effect) override;
    void run_stop_command(const effect::RunStopCommand& effect) override;
    void kill_tree(const effect::KillTree& effect) override;
    void freeze(const effect::Freeze& effect) override;
    void release(const effect::Release& effect) override;

    /// Hands over all that has arrived: messages first, as they may be a dying process's last words.
    void read_all(Supervisor& supervisor, TimePoint now) override;

    // What happens in the world. Each is legal in the phases that it names only.
    void make(Process& process);                          ///< asked
    void exec(Process& process);                          ///< made
    void refuse(Process& process, int error);             ///< asked, made
    void fork(Process& process);                          ///< running
    void say(Process& process, event::Notified message);  ///< running, left
    void end_main(Process& process, ExitStatus how);      ///< running
    void end_stop_command(Process& process, bool done);   ///< stop_command_runs
    void end_child(Process& process);                     ///< running, left
    /// Everything that the process did so far can be read from now on.
    void arrive(Process& process);

    [[nodiscard]] Process* find(TaskId task, Generation generation);
    /// The owner is gone and another one comes: what it had not read of the kernel's news is gone too, messages are
    /// still in their sockets. Empties the world of its processes and gives them.
    [[nodiscard]] std::map<Key, Process> change_owner();
    /// A process as the new owner knows it.
    void take_in(TaskId task, Process process);
    /// When the owner last read.
    [[nodiscard]] TimePoint read_at() const { return read_at_; }
    /// Runs that were not released yet.
    [[nodiscard]] std::map<Key, Process>& processes() { return processes_; }

  private:
    void tell(Process& process, Event event) { process.news.push_back(std::move(event)); }

    std::map<Key, Process> processes_;
    TimePoint read_at_{};
    pid_t next_pid_ = 100;
};

}  // namespace vigil::core::simulation
