// The one face that every supervisor shows to the measurements.
#pragma once

#include <string>
#include <vector>

#include "rig/programs.hpp"
#include "rig/reports.hpp"

namespace vigil::bench {

/// What is to be supervised, and where.
struct Plan {
    std::size_t tasks = 0;
    std::string place;           ///< an empty directory of this measurement's own, in memory
    std::string worker;          ///< the program that every task runs
    std::string reports;         ///< path of the socket for its first argument
    bool beating = false;        ///< with a heartbeat rule and a state of health; only vigil knows such tasks
    std::string beat_ms = "0";   ///< how often such a worker beats
    std::string timeout = "1h";  ///< how long it may be silent
    bool output = false;         ///< output kept in files; else thrown away

    /// The arguments of task `number`'s worker after its own name.
    std::vector<std::string> arguments(std::size_t number) const {
        std::vector<std::string> words{reports, std::to_string(number)};
        if (beating) words.push_back(beat_ms);
        return words;
    }
};

/// Tasks are restarted without delay and without end, or as near to that as the supervisor can be told. What
/// it cannot do is not measured: each `can_` is false then.
class Supervisor {
  public:
    virtual ~Supervisor() = default;

    /// Makes the supervisor ready to start all tasks, with none running.
    virtual void prepare(const Plan& plan) = 0;

    /// Orders the start of all tasks; returns when it likes, at the latest when they run.
    virtual void start() = 0;

    /// All run: what follows is no part of the start.
    virtual void started() {}

    /// Ends all tasks; returns when the supervisor says that they have ended. After it only end() may be
    /// called.
    virtual void stop() = 0;

    /// Ends whatever is left, in any state.
    virtual void end() = 0;

    /// The supervisor's own processes; empty where they cannot be told.
    virtual std::vector<pid_t> processes() const = 0;

    /// The command line client that shows all tasks, or one; empty: there is none.
    virtual Argv status_of_all() const { return {}; }
    virtual Argv status_of_one() const { return {}; }

    virtual bool can_crash() const { return true; }
};

}  // namespace vigil::bench
