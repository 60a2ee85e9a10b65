// Layer core. One turn of the daemon, in the order on which fair verdicts rest: read everything that is
// queued, only then judge, then act. Where there is too much for one turn, several read and act, and the one
// that comes to the end judges. The world is behind ports: real in the daemon, recording in tests, simulated
// in simulation.
#pragma once

#include <optional>

#include "core/supervisor.hpp"

namespace vigil::core {

/// Carries out what concerns processes. Answers come back later as events; none of these may call the engine.
class ProcessPort {
  public:
    virtual ~ProcessPort() = default;
    virtual void spawn(const effect::Spawn& effect) = 0;
    virtual void signal(const effect::Signal& effect) = 0;
    virtual void run_stop_command(const effect::RunStopCommand& effect) = 0;
    virtual void kill_tree(const effect::KillTree& effect) = 0;
    virtual void freeze(const effect::Freeze& effect) = 0;
    virtual void release(const effect::Release& effect) = 0;
};

/// Learns of every change of state before its effects are carried out: log, records, subscribers, waiting
/// clients.
class AnnouncePort {
  public:
    virtual ~AnnouncePort() = default;
    virtual void announce(const effect::Announce& effect) = 0;
    virtual void finished(const effect::Finished& effect) = 0;
};

/// Gives up what has happened.
class SignsPort {
  public:
    virtual ~SignsPort() = default;
    /// Hands exits and messages that are queued to the supervisor, bounded for each task, so that a flood
    /// from one delays no other. The time, `now` or before, up to which all are read that had come by then.
    /// Nothing: some of them are left, for the next call.
    [[nodiscard]] virtual std::optional<TimePoint> read(Supervisor& supervisor, TimePoint now) = 0;
};

/// Writes down what the next daemon is to know. Called before the effects that follow from it are carried
/// out, so that what is written is never behind the world.
class RecordPort {
  public:
    virtual ~RecordPort() = default;
    virtual void write(TaskId task, const TaskRecord& record, const SpecPtr& spec) = 0;
    /// The task is no more.
    virtual void erase(TaskId task) = 0;
};

class Engine {
  public:
    struct Ports {
        ProcessPort& processes;
        AnnouncePort& announcements;
        SignsPort& signs;
        RecordPort& records;
    };
    Engine(Supervisor& supervisor, Ports ports) : supervisor_(supervisor), ports_(ports) {}

    /// wake, read, judge if nothing is left to be read, then the effects until none is left. False: something
    /// is left, and the next turn is to come as soon as others had theirs.
    bool turn(TimePoint now);
    /// Writes every record anew. Before the owner goes on as another program, which takes its deadlines from
    /// them: an absence or a pause has moved those since they were written.
    void write_all(TimePoint now);

  private:
    void carry_out();
    void write_down();

    Supervisor& supervisor_;
    Ports ports_;
};

}  // namespace vigil::core
