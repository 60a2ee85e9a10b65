#include "rig/clock.hpp"
#include "vigil/rows.hpp"
#include "vigil/vigil.hpp"

namespace vigil::bench {

void measure_takeover(const Plan& plan, Reports& reports, std::size_t times, const Figures& figures) {
    Vigil vigil;
    vigil.prepare(plan);
    vigil.start_all(reports, plan.tasks);
    for (std::size_t i = 0; i < times; ++i) {
        vigil.kill_daemon();
        const std::int64_t begin = now_ns();
        vigil.start_daemon();
        vigil.wait_healthy(plan.tasks);
        figures.add("takeover", ms_of(now_ns() - begin));
    }
    vigil.stop();
    vigil.end();
}

}  // namespace vigil::bench
