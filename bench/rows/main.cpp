// supervised: measures one supervisor under N tasks; prints one JSON object a line (see rig/figures.hpp).
//
//   supervised --who NAME --tasks N [--rows start,crash,mass,memory,status,idle] [--crashes N] [--status N]
//   [--idle S]
//              [--place DIR] [--worker PROGRAM] [--vigild PROGRAM] [--vigilctl PROGRAM]
//
// NAME is one of those of make_supervisor(). Exit code 3: it is not installed here.
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "limit/limit.hpp"
#include "rows/rows.hpp"
#include "vigil/vigil.hpp"

namespace {

using namespace vigil::bench;

std::unique_ptr<Supervisor> make_supervisor(const std::string& name) {
    if (name == "limit") return std::make_unique<Limit>(1);
    if (name == "limit-2") return std::make_unique<Limit>(2);
    if (name == "vigil") return std::make_unique<Vigil>();
    return nullptr;
}

/// A directory of our own, in memory where there is one; gone at the end, unless the program gives up.
class Place {
  public:
    explicit Place(const std::string& above) : path_(above + "/vbXXXXXX") {
        if (::mkdtemp(path_.data()) == nullptr) give_up("mkdtemp " + path_);
    }
    ~Place() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Measures one supervisor under N tasks");
    std::string who;
    std::string above = std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
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
    app.add_option("--place", above);
    app.add_option("--worker", plan.worker);
    app.add_option("--vigild", Vigil::programs().vigild);
    app.add_option("--vigilctl", Vigil::programs().vigilctl);
    app.add_flag("--beating", plan.beating, "each task has a heartbeat rule and says once that it is ready");
    app.add_flag("--output", plan.output, "what tasks print is kept");
    CLI11_PARSE(app, argc, argv);

    const std::unique_ptr<Supervisor> supervisor = make_supervisor(who);
    if (supervisor == nullptr) return 3;
    raise_descriptor_limit();
    const Place place(above);
    plan.place = place.path();
    plan.reports = plan.place + "/w";
    Reports reports(plan.reports, plan.tasks);
    measure(*supervisor, plan, reports, {rows.begin(), rows.end()}, amounts, Figures(who, plan.tasks));
    return 0;
}
