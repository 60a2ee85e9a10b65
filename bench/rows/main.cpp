// supervised: measures one supervisor under N tasks; prints one JSON object a line (see rig/figures.hpp).
//
//   supervised --who NAME --tasks N [--rows start,crash,mass,memory,status,idle] [--crashes N] [--status N]
//   [--idle S] [--beating] [--output]
//              [--worker PROGRAM] [--vigild PROGRAM] [--vigilctl PROGRAM]
//
// NAME is limit (the bare supervisor), limit-2 (with two spawning threads), limit-apart (with those,
// sessions, and restarts beside the loop), vigil, or one of peers(). Exit code 3: it is not installed here.
#include <CLI/CLI.hpp>
#include <memory>

#include "limit/limit.hpp"
#include "peers/peers.hpp"
#include "rig/place.hpp"
#include "rows/rows.hpp"
#include "vigil/vigil.hpp"

namespace {

using namespace vigil::bench;

std::unique_ptr<Supervisor> make_supervisor(const std::string& name) {
    if (name == "limit") return std::make_unique<Limit>(1);
    if (name == "limit-2") return std::make_unique<Limit>(2);
    if (name == "limit-apart") return std::make_unique<Limit>(2, true);
    if (name == "vigil") return std::make_unique<Vigil>();
    for (const Peer& peer : peers())
        if (peer.name == name && peer.installed()) return peer.make();
    return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Measures one supervisor under N tasks");
    std::string who;
    Plan plan;
    plan.worker = BENCH_WORKER;
    Amounts amounts;
    std::vector<std::string> rows{"start", "crash", "mass", "memory", "status", "idle"};
    app.add_option("--who", who)->required();
    app.add_option("--tasks", plan.tasks)->required();
    app.add_option("--rows", rows)->delimiter(',');
    app.add_option("--crashes", amounts.crashes);
    app.add_option("--status", amounts.status);
    app.add_option("--idle", amounts.idle_s);
    app.add_option("--worker", plan.worker);
    app.add_option("--vigild", Vigil::programs().vigild);
    app.add_option("--vigilctl", Vigil::programs().vigilctl);
    app.add_flag("--beating", plan.beating, "each task has a heartbeat rule and says once that it is ready");
    app.add_flag("--output", plan.output, "what tasks print is kept");
    CLI11_PARSE(app, argc, argv);
    give_up_when_told();

    const std::unique_ptr<Supervisor> supervisor = make_supervisor(who);
    if (supervisor == nullptr) return 3;
    raise_descriptor_limit();
    const Place place;
    plan.place = place.path();
    plan.reports = plan.place + "/w";
    Reports reports(plan.reports, plan.tasks);
    measure(*supervisor, plan, reports, {rows.begin(), rows.end()}, amounts, Figures(who, plan.tasks));
    return 0;
}
