#include "rows/rows.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>

#include "base/unique_fd.hpp"
#include "rig/clock.hpp"

namespace vigil::bench {
namespace {

constexpr std::int64_t kLimitMs = 120'000;
/// Between two crashes, so that each is of a supervisor that has nothing else to do.
constexpr std::int64_t kBetweenNs = 1'000'000;

/// So that rows of another kind of task are not taken for the same.
std::string named(const Plan& plan, const std::string& row) {
    return row + (plan.beating ? ".beating" : "") + (plan.output ? ".output" : "");
}

void measure_start(Supervisor& supervisor, const Plan& plan, Reports& reports, const Figures& figures) {
    std::int64_t begin = 0;
    std::jthread order([&] {
        begin = now_ns();
        supervisor.start();
    });
    const std::int64_t end = reports.wait_started(plan.tasks, kLimitMs);
    order.join();
    figures.add(named(plan, "start"), ms_of(end - begin));
    supervisor.started();
}

void measure_crash(const Plan& plan, Reports& reports, std::size_t crashes, const Figures& figures) {
    std::mt19937 random(1);
    std::vector<double> waits;
    for (std::size_t i = 0; i < crashes; ++i) {
        const std::size_t victim = random() % plan.tasks;
        rest(kBetweenNs);
        const std::int64_t begin = now_ns();
        ::kill(reports.tasks()[victim].pid, SIGKILL);
        waits.push_back(us_of(reports.wait_started(1, kLimitMs) - begin));
    }
    figures.add_quantiles(named(plan, "crash"), std::move(waits));
}

void measure_mass(const Plan& plan, Reports& reports, const Figures& figures) {
    std::vector<pid_t> pids;
    for (const Reports::Task& task : reports.tasks()) pids.push_back(task.pid);
    const std::int64_t begin = now_ns();
    std::jthread killer([&pids] {
        for (const pid_t pid : pids) ::kill(pid, SIGKILL);
    });
    figures.add(named(plan, "mass"), ms_of(reports.wait_started(plan.tasks, kLimitMs) - begin));
}

void measure_client(const Argv& argv, const std::string& row, std::size_t times, const Figures& figures) {
    if (argv.empty()) return;
    // Written somewhere and read by nobody, so that what is measured is the client and its daemon.
    const UniqueFd out(::memfd_create("status", MFD_CLOEXEC));
    for (std::size_t i = 0; i <= times; ++i) {
        if (::ftruncate(out.get(), 0) != 0 || ::lseek(out.get(), 0, SEEK_SET) != 0) give_up("memfd");
        const std::int64_t begin = now_ns();
        const int code = wait_for(start_program(argv, {-1, out.get()}));
        const double took = ms_of(now_ns() - begin);
        if (code != 0) give_up(argv[0] + " exits with " + std::to_string(code));
        // The first of them reads its program from the disk.
        if (i > 0) figures.add(row, took);
    }
}

void measure_idle(const Supervisor& supervisor, int seconds, const Figures& figures) {
    const std::vector<pid_t> processes = supervisor.processes();
    // What the last measurement left to be done is done.
    rest(500'000'000);
    const std::uint64_t before = switches(processes);
    rest(std::int64_t{seconds} * 1'000'000'000);
    figures.add("idle", static_cast<double>(switches(processes) - before) / seconds);
}

void measure_stop(Supervisor& supervisor, const Plan& plan, Reports& reports, const Figures& figures) {
    const std::int64_t begin = now_ns();
    supervisor.stop();
    for (const Reports::Task& task : reports.tasks())
        while (alive(task.pid)) rest(100'000);
    figures.add(named(plan, "stop"), ms_of(now_ns() - begin));
}

}  // namespace

void measure(Supervisor& supervisor, const Plan& plan, Reports& reports, const std::set<std::string>& rows,
             const Amounts& amounts, const Figures& figures) {
    supervisor.prepare(plan);
    measure_start(supervisor, plan, reports, figures);
    rest(200'000'000);
    // Before anything crashes: a memory that has grown by that is not given back at once.
    if (rows.contains("memory") && !supervisor.processes().empty())
        figures.add(named(plan, "memory"), pss_kib(supervisor.processes()));
    if (rows.contains("status")) {
        measure_client(supervisor.status_of_all(), "status.all", amounts.status, figures);
        measure_client(supervisor.status_of_one(), "status.one", amounts.status, figures);
    }
    if (rows.contains("idle") && !supervisor.processes().empty())
        measure_idle(supervisor, amounts.idle_s, figures);
    if (rows.contains("crash") && supervisor.can_crash())
        measure_crash(plan, reports, amounts.crashes, figures);
    rest(200'000'000);
    if (rows.contains("mass") && supervisor.can_crash()) measure_mass(plan, reports, figures);
    rest(200'000'000);
    measure_stop(supervisor, plan, reports, figures);
    supervisor.end();
}

}  // namespace vigil::bench
