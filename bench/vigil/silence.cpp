#include <signal.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "rig/clock.hpp"
#include "vigil/rows.hpp"
#include "vigil/vigil.hpp"

namespace vigil::bench {
namespace {

constexpr std::int64_t kBetweenNs = 20'000'000;
constexpr std::int64_t kSecondNs = 1'000'000'000;

}  // namespace

void measure_silence(const Plan& plan, Reports& reports, std::size_t silent, const Figures& figures) {
    const std::int64_t timeout_ns = std::stoll(plan.timeout) * kSecondNs;
    Vigil vigil;
    vigil.prepare(plan);
    vigil.start_all(reports, plan.tasks);
    // All have begun together; by now their beats are spread as they will be.
    rest(2 * kSecondNs);

    std::vector<std::size_t> order(plan.tasks);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    order.resize(std::min(silent, plan.tasks));
    std::vector<double> late;
    std::size_t unasked = 0;
    const auto take = [&](const BenchReport& report) {
        if (report.kind != BENCH_FOUND) return;
        if (std::find(order.begin(), order.end(), report.task) == order.end()) ++unasked;
        late.push_back(ms_of(report.at_ns - report.last_beat_ns - timeout_ns));
    };
    BenchReport report{};
    for (const std::size_t task : order) {
        ::kill(reports.tasks()[task].pid, SIGUSR2);
        for (const std::int64_t until = now_ns() + kBetweenNs; reports.next(report, until);) take(report);
    }
    for (const std::int64_t until = now_ns() + timeout_ns + 10 * kSecondNs;
         late.size() < order.size() && reports.next(report, until);)
        take(report);
    if (late.size() < order.size())
        figures.note(std::to_string(order.size() - late.size()) + " silent tasks were not found");
    if (unasked > 0) figures.note(std::to_string(unasked) + " tasks were judged silent while they beat");
    if (!late.empty() && *std::min_element(late.begin(), late.end()) < 0)
        figures.note("a task was judged before its deadline");
    figures.add_quantiles("silence", std::move(late));
    vigil.say_turns("loop.beating", figures);
    vigil.stop();
    vigil.end();
}

}  // namespace vigil::bench
