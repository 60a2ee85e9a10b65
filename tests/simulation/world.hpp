// A kernel that is simulated: processes that are made, exec or hang or die before it, speak, fork, leave
// their group, ignore signals and end; notify sockets with queues that fill up; a clock that everybody
// shares. It obeys the supervisor's effects as Linux would, late or too early where Linux may be, and hands
// over what has happened. It decides nothing and checks nothing.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "core/engine.hpp"
#include "simulation/book.hpp"
#include "simulation/tape.hpp"

namespace vigil::core::simulation {

/// One run's process tree.
struct Process {
    enum class Phase : std::uint8_t {
        asked,    ///< Spawn was carried out, nothing exists yet
        made,     ///< cloned, before its exec
        running,  ///< the main process lives
        left,     ///< only others of the tree live
        gone,     ///< nothing lives
    };

    TaskId task{};
    Generation generation{};
    SpecPtr spec;  ///< by which it is judged and ended
    SpecPtr born;  ///< what it was made with, and told of
    Phase phase = Phase::asked;
    pid_t pid = 0;          ///< from the clone on
    bool reported = false;  ///< Spawned was told
    unsigned children = 0;  ///< in the main process's group
    unsigned escaped = 0;   ///< in groups and sessions of their own

    // Its nature.
    bool ignores_signals = false;
    bool children_ignore_signals = false;
    unsigned survives_kills = 0;  ///< SIGKILLs that find it in a state in which it cannot die yet
    /// It sends a heartbeat each time that this has passed on its own clock, from its exec on, and says
    /// nothing that makes its silence a fault; 0: it beats when it likes.
    Duration beats_every{};
    TimePoint next_beat = kNever;
    bool waits_for_room = false;  ///< with a full queue it blocks in send(2); else the message is lost
    bool blocked = false;
    bool is_late_comer = false;  ///< it beats in time only since faults stopped

    // What was done to it.
    bool main_asked = false;
    bool children_asked = false;
    bool escaped_asked = false;
    bool kill_on_arrival = false;  ///< SIGKILL was asked for before the owner knew its pid
    bool stop_command_runs = false;
    bool frozen = false;
    bool held = false;            ///< its spawn is not begun before the owner lets it
    bool asked_for_time = false;  ///< it has sent EXTEND_TIMEOUT_USEC

    // What it did and the owner has not read yet. Messages travel apart from what the kernel tells, so either
    // may overtake the other; the first `arrived_news` of the news can be read, messages at once.
    std::deque<Event> news;
    std::size_t arrived_news = 0;
    std::deque<event::Notified> messages;

    // What the owner knows, for whoever holds it to its promises. Times are supervised time.
    std::optional<TimePoint> heard_at;  ///< when a heartbeat was read last
    TimePoint sign_at{};                ///< from when on its silence counts
    bool sign_is_exact = true;  ///< false after what moves the deadline in a way that is not followed here
    bool beaten = false;        ///< this owner has read a heartbeat
    bool untold = false;        ///< what it said was read in this turn, and is not written down yet
    TimePoint frozen_at{};

    [[nodiscard]] bool alive() const { return phase != Phase::asked && phase != Phase::gone; }
    [[nodiscard]] unsigned others() const { return children + escaped; }
};

class World final : public ProcessPort, public SignsPort {
  public:
    using Key = std::pair<TaskId, Generation>;

    World(Tape& tape, Book& book, std::size_t queue_room)
        : tape_(tape), book_(book), queue_room_(queue_room) {}

    // Effects of the supervisor. Those for a process that is gone or was never there find nothing.
    void spawn(const effect::Spawn& effect) override;
    void signal(const effect::Signal& effect) override;
    void run_stop_command(const effect::RunStopCommand& effect) override;
    void kill_tree(const effect::KillTree& effect) override;
    void freeze(const effect::Freeze& effect) override;
    void release(const effect::Release& effect) override;

    /// Hands over what has arrived: messages first, as they may be a dying process's last words. Now and then
    /// not that of all processes.
    [[nodiscard]] std::optional<TimePoint> read(Supervisor& supervisor, TimePoint now) override;
    /// To be told before each turn: the time that deadlines are made of.
    void set_supervised(TimePoint supervised) { supervised_ = supervised; }

    /// The processes live on until then, each by its own clock.
    void pass_until(TimePoint now);
    /// So much time passes for nobody but the clock: every process stood still. Timers that ran out meanwhile
    /// are heard at the next pass_until(), at once.
    void freeze_until(TimePoint now) { now_ = now; }
    [[nodiscard]] TimePoint now() const { return now_; }

    // What happens in the world. Each is legal in the phases that it names only.
    void make(Process& process);                          ///< asked
    void exec(Process& process);                          ///< made
    void refuse(Process& process, int error);             ///< asked, made
    void fork(Process& process, bool leaves_group);       ///< running
    void say(Process& process, event::Notified message);  ///< running, left
    void end_main(Process& process, ExitStatus how);      ///< running
    void end_stop_command(Process& process, bool done);   ///< stop_command_runs
    void end_child(Process& process);                     ///< running, left, children > 0
    void end_escaped(Process& process);                   ///< running, left, escaped > 0
    /// It beats by its own clock from now on.
    void beat_every(Process& process, Duration period);
    /// What the kernel has told of the process can be read from now on.
    void arrive(Process& process) { process.arrived_news = process.news.size(); }
    /// Spawns that are asked for from now on are begun only when they are let go.
    void hold_spawns(bool held);

    [[nodiscard]] Process* find(TaskId task, Generation generation);
    /// The owner is gone and another one comes. Empties the world of its processes and gives them. With
    /// `in_place` the owner is the parent still: what the kernel has to tell is told to the next one.
    /// Otherwise news are lost, messages are still in their sockets, and a child past its clone gets on
    /// without a parent.
    [[nodiscard]] std::map<Key, Process> change_owner(bool in_place);
    /// A process as the new owner knows it.
    Process& take_in(TaskId task, Process process);
    /// Runs that were not released yet.
    [[nodiscard]] std::map<Key, Process>& processes() { return processes_; }

  private:
    void tell(Process& process, Event event) { process.news.push_back(std::move(event)); }
    void end_if_empty(Process& process);
    void send_beats(Process& process);
    void read_messages(Process& process, Supervisor& supervisor, TimePoint now);

    Tape& tape_;
    Book& book_;
    std::size_t queue_room_;
    std::map<Key, Process> processes_;
    TimePoint now_{};
    TimePoint supervised_{};
    pid_t next_pid_ = 100;
    bool hold_spawns_ = false;
};

}  // namespace vigil::core::simulation
