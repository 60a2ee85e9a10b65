// What only vigil can be measured by.
#pragma once

#include "rig/figures.hpp"
#include "rig/supervisor.hpp"

namespace vigil::bench {

/// Beats of all tasks, sent in the workers' place by one processor and heard by vigild on another. None is
/// lost: every queue is empty at the end; none is late: nobody was judged silent. Rows: heartbeats (1/s),
/// heartbeats.cpu (a second of processor).
void measure_heartbeats(const Plan& plan, Reports& reports, double seconds, const Figures& figures);
/// The same of the bare receive loop.
void measure_bare_heartbeats(const Plan& plan, double seconds, const Figures& figures);

/// Tasks that beat as `plan` says, of which some fall silent one after the other. Rows: silence (ms, p50,
/// p99): from the moment when the deadline of the last beat that was sent had passed until the signal reached
/// the task; loop.p99 (ms).
void measure_silence(const Plan& plan, Reports& reports, std::size_t silent, const Figures& figures);

/// vigild killed by SIGKILL and started again. Row: takeover (ms), from its start to an answer that shows
/// every task healthy.
void measure_takeover(const Plan& plan, Reports& reports, std::size_t times, const Figures& figures);

/// One task's status, asked on a new connection each time, while all N crash at once again and again. Rows:
/// control.mass (ms; p50, p99), control.mass.max, loop.mass.p99 (ms).
void measure_control(const Plan& plan, Reports& reports, std::size_t times, const Figures& figures);

}  // namespace vigil::bench
