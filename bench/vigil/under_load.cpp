#include <signal.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "rig/clock.hpp"
#include "vigil/rows.hpp"
#include "vigil/vigil.hpp"

namespace vigil::bench {

void measure_control(const Plan& plan, Reports& reports, std::size_t times, const Figures& figures) {
    Vigil vigil;
    vigil.prepare(plan);
    vigil.start_all(reports, plan.tasks);
    std::vector<double> waits;
    for (std::size_t i = 0; i < times; ++i) {
        std::atomic<bool> over = false;
        std::jthread asker([&] {
            while (!over) {
                const std::int64_t begin = now_ns();
                Control(vigil.socket()).call("task.status", {{"name", "t0"}});
                waits.push_back(ms_of(now_ns() - begin));
                rest(2'000'000);
            }
        });
        std::vector<pid_t> pids;
        for (const Reports::Task& task : reports.tasks()) pids.push_back(task.pid);
        std::jthread killer([&pids] {
            for (const pid_t pid : pids) ::kill(pid, SIGKILL);
        });
        reports.wait_started(plan.tasks, 120'000);
        over = true;
        asker.join();
        rest(100'000'000);
    }
    figures.add("control.mass.max", *std::max_element(waits.begin(), waits.end()));
    figures.add_quantiles("control.mass", std::move(waits));
    vigil.say_turns("loop.mass", figures);
    vigil.stop();
    vigil.end();
}

}  // namespace vigil::bench
