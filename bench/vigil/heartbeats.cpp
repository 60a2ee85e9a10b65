#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "rig/beats.hpp"
#include "vigil/rows.hpp"
#include "vigil/vigil.hpp"

namespace vigil::bench {
namespace {

std::string notify_socket_of(pid_t pid) {
    const std::string environment = text_of("/proc/" + std::to_string(pid) + "/environ");
    const std::string name("\0NOTIFY_SOCKET=", 15);
    const auto at = ('\0' + environment).find(name);
    if (at == std::string::npos) give_up("a worker has no NOTIFY_SOCKET");
    return environment.c_str() + at + name.size() - 1;
}

void say(const Figures& figures, const Burst& burst, double cpu) {
    figures.add("heartbeats", static_cast<double>(burst.sent) / burst.seconds);
    figures.add("heartbeats.cpu", static_cast<double>(burst.sent) / cpu);
}

constexpr unsigned kSender = 0;
constexpr unsigned kReceiver = 1;

void refuse_to_go_on(const std::string& what) {
    errno = 0;
    give_up(what);
}

}  // namespace

void measure_heartbeats(const Plan& plan, Reports& reports, double seconds, const Figures& figures) {
    Vigil vigil;
    vigil.prepare(plan);
    vigil.start_all(reports, plan.tasks);
    std::vector<Beater> beaters;
    for (const Reports::Task& task : reports.tasks())
        beaters.push_back({notify_socket_of(task.pid), task.pid});
    BeatSender sender(beaters);
    pin(::getpid(), kSender);
    pin(vigil.daemon(), kReceiver);
    sender.send_for(0.2);
    const double before = cpu_seconds({vigil.daemon()});
    const Burst burst = sender.send_for(seconds);
    say(figures, burst, cpu_seconds({vigil.daemon()}) - before);

    Control control(vigil.socket());
    const auto status = control.call("daemon.status");
    if (status.at("tasks").at("healthy") != plan.tasks)
        refuse_to_go_on("tasks were judged silent while they beat");
    for (const auto& [what, count] : status.at("dropped").items())
        if (what.starts_with("notify_") && count != 0) refuse_to_go_on("vigild dropped beats: " + what);
    // Heard and not only read: every task's last beat is of the burst.
    for (const auto& task : control.call("task.status").at("tasks"))
        if (task.at("generation") != 1 ||
            task.at("last_heartbeat_age_ms").get<double>() > 1000 * (burst.seconds + 5))
            refuse_to_go_on("a beat was lost: " + task.dump());
    vigil.end();
}

void measure_bare_heartbeats(const Plan& plan, double seconds, const Figures& figures) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) give_up("pipe");
    pid_t pid =
        start_program({BENCH_RECEIVE_LOOP, std::to_string(plan.tasks), plan.place + "/n"}, {-1, ends[1]});
    ::close(ends[1]);
    char answer[8];
    if (::read(ends[0], answer, sizeof answer) != 3) refuse_to_go_on("the bare receive loop has failed");
    std::vector<Beater> beaters;
    for (std::size_t i = 0; i < plan.tasks; ++i)
        beaters.push_back({plan.place + "/n" + std::to_string(i), ::getpid()});
    BeatSender sender(beaters);
    pin(::getpid(), kSender);
    pin(pid, kReceiver);
    sender.send_for(0.2);
    const double before = cpu_seconds({pid});
    const Burst burst = sender.send_for(seconds);
    say(figures, burst, cpu_seconds({pid}) - before);
    put_an_end_to(pid);
}

}  // namespace vigil::bench
