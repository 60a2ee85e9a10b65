#include "vigil/vigil.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

namespace vigil::bench {
namespace {

nlohmann::json configuration(const Plan& plan) {
    nlohmann::json defaults{{"autostart", false},
                            {"restart", {{"base_delay", "0s"}, {"jitter", 0}, {"max_attempts", nullptr}}},
                            {"output", {{"to", plan.output ? "file" : "null"}}}};
    if (plan.beating)
        defaults["heartbeat"] = {
            {"timeout", plan.timeout}, {"initial_delay", "1m"}, {"signal", "USR1"}, {"access", "main"}};
    nlohmann::json tasks = nlohmann::json::object();
    for (std::size_t i = 0; i < plan.tasks; ++i) {
        nlohmann::json command{plan.worker};
        for (const std::string& word : plan.arguments(i)) command.push_back(word);
        tasks["t" + std::to_string(i)] = {{"command", std::move(command)}};
    }
    // cgroups are left out: no peer but systemd makes any, and below which one a measurement runs is chance.
    return {{"version", 1},
            {"daemon",
             {{"runtime_dir", plan.place + "/r"},
              {"state_dir", plan.place + "/s"},
              {"log_dir", plan.place + "/l"},
              {"max_starting", 200},
              {"cgroup", "off"}}},
            {"defaults", std::move(defaults)},
            {"tasks", std::move(tasks)}};
}

}  // namespace

Vigil::Programs& Vigil::programs() {
    static Programs programs{BENCH_VIGILD, BENCH_VIGILCTL};
    return programs;
}

std::string Vigil::socket() const {
    return place_ + "/r/control.sock";
}

void Vigil::prepare(const Plan& plan) {
    place_ = plan.place;
    write_text(place_ + "/vigil.json", configuration(plan).dump());
    start_daemon();
}

void Vigil::start_daemon() {
    // The log as it is by default, to a file as under most supervisors.
    const UniqueFd log(::open((place_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    pid_ = start_program({programs().vigild, "-c", place_ + "/vigil.json"}, {-1, log.get()});
    eventually([this] { return Control::listening(socket()) || !alive(pid_); }, "vigild listens");
    if (!alive(pid_)) give_up("vigild has ended: " + text_of(place_ + "/log"));
    Control(socket()).call("daemon.hello");
}

void Vigil::start() {
    Control(socket()).call("task.start", {{"name", "*"}});
}

void Vigil::stop() {
    Control(socket()).call("task.stop", {{"name", "*"}});
}

void Vigil::wait_healthy(std::size_t count) const {
    eventually([&] { return Control(socket()).call("daemon.status").at("tasks").at("healthy") == count; },
               std::to_string(count) + " tasks are healthy");
}

void Vigil::start_all(Reports& reports, std::size_t count) {
    // Reports are read meanwhile: a worker waits for that before it says that it is ready.
    std::jthread order([this] { start(); });
    reports.wait_started(count, 120'000);
    order.join();
    wait_healthy(count);
}

void Vigil::say_turns(const std::string& row, const Figures& figures) const {
    const auto status = Control(socket()).call("daemon.status");
    if (!status.contains("loop")) return;
    const auto& turns = status.at("loop").at("turns");
    figures.add(row + ".p50", turns.at("p50_us").get<double>() / 1000);
    figures.add(row + ".p99", turns.at("p99_us").get<double>() / 1000);
    figures.add(row + ".max", turns.at("max_us").get<double>() / 1000);
}

void Vigil::end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::kill(pid_, SIGTERM);
    wait_for(pid_);
    pid_ = 0;
}

std::vector<pid_t> Vigil::processes() const {
    std::vector<pid_t> found{pid_};
    const auto keeper = Control(socket()).call("daemon.status").at("keeper_pid");
    if (keeper.is_number()) found.push_back(keeper.get<pid_t>());
    return found;
}

Argv Vigil::status_of_all() const {
    return {programs().vigilctl, "-s", socket(), "status"};
}
Argv Vigil::status_of_one() const {
    return {programs().vigilctl, "-s", socket(), "status", "t0"};
}

}  // namespace vigil::bench
