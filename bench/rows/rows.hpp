// What is measured of every supervisor in the same way.
#pragma once

#include <set>
#include <string>

#include "rig/figures.hpp"
#include "rig/supervisor.hpp"

namespace vigil::bench {

struct Amounts {
    std::size_t crashes = 200;  ///< how many single crashes
    std::size_t status = 10;    ///< how often a client is run
    int idle_s = 5;
};

/// One life of a supervisor: start, then what `rows` names of "crash", "mass", "memory", "status" and "idle",
/// then stop. Rows:
/// (with ".beating" and ".output" behind them where the tasks are such)
///   start (ms)         order until the last worker reports
///   crash (us)         kill of one worker until its successor reports; p50, p99
///   mass (ms)          first of N kills until the last successor reports
///   memory (KiB)       PSS of the supervisor's own processes
///   status.all, .one (ms)  the command line client's whole life
///   idle (1/s)         switches of the supervisor's threads while nothing happens
///   stop (ms)          order until it is answered and every worker is gone
void measure(Supervisor& supervisor, const Plan& plan, Reports& reports, const std::set<std::string>& rows,
             const Amounts& amounts, const Figures& figures);

}  // namespace vigil::bench
