// vigil_rows: what only vigil can be measured by; prints one JSON object a line (see rig/figures.hpp).
//
//   vigil_rows --row heartbeats|bare-heartbeats|silence|takeover|control --tasks N [--amount X] [--vigild
//   PROGRAM]
//
// The amount: seconds of beats, tasks that fall silent, or how often.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "rig/place.hpp"
#include "vigil/rows.hpp"
#include "vigil/vigil.hpp"

namespace {

using namespace vigil::bench;

// What a process needs beside those of its tasks.
constexpr std::size_t kOwnDescriptors = 200;

/// A task that beats costs the daemon two descriptors.
void bound_by_descriptors(Plan& plan, std::uint64_t limit) {
    const std::size_t most = (limit - kOwnDescriptors) / 2;
    if (plan.tasks <= most) return;
    Figures("vigil", plan.tasks)
        .note("with two descriptors a task that beats, and at most " + std::to_string(limit) +
              " in all, measured with " + std::to_string(most) + " such tasks");
    plan.tasks = most;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("What only vigil can be measured by");
    std::string row;
    double amount = 0;
    Plan plan;
    plan.worker = BENCH_WORKER;
    app.add_option("--row", row)->required();
    app.add_option("--tasks", plan.tasks)->required();
    app.add_option("--amount", amount);
    app.add_option("--vigild", Vigil::programs().vigild);
    app.add_option("--vigilctl", Vigil::programs().vigilctl);
    CLI11_PARSE(app, argc, argv);
    give_up_when_told();

    const std::uint64_t limit = raise_descriptor_limit();
    const std::size_t asked = plan.tasks;
    plan.beating = row == "heartbeats" || row == "bare-heartbeats" || row == "silence";
    if (plan.beating) bound_by_descriptors(plan, limit);
    if (row == "silence") {
        plan.beat_ms = "1000";
        plan.timeout = "2s";
    }
    const Place place;
    plan.place = place.path();
    plan.reports = plan.place + "/w";
    Reports reports(plan.reports, plan.tasks);
    const Figures figures(row == "bare-heartbeats" ? "limit" : "vigil", asked);
    const auto count = static_cast<std::size_t>(std::max(amount, 1.0));
    if (row == "heartbeats") measure_heartbeats(plan, reports, amount, figures);
    if (row == "bare-heartbeats") measure_bare_heartbeats(plan, amount, figures);
    if (row == "silence") measure_silence(plan, reports, count, figures);
    if (row == "takeover") measure_takeover(plan, reports, count, figures);
    if (row == "control") measure_control(plan, reports, count, figures);
    return 0;
}
