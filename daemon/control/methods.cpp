#include "control/methods.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/text.hpp"
#include "config_files.hpp"
#include "protocol/rpc.hpp"
#include "version.hpp"

namespace vigil::daemon {
namespace {

std::chrono::milliseconds to_ms(core::Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

protocol::ClockReading read_clocks() {
    return {.steady = std::chrono::steady_clock::now(), .wall = std::chrono::system_clock::now()};
}

}  // namespace

std::string error_line(const protocol::RequestId& id, const protocol::RpcError& error) {
    std::string line;
    protocol::write_error(line, id, error);
    return line;
}

Methods::Methods(World world, std::function<Session*(SessionId)> find_session,
                 std::function<void()> deadline_moved)
    : world_(std::move(world)),
      find_session_(std::move(find_session)),
      deadline_moved_(std::move(deadline_moved)) {}

void Methods::run(Call& call, protocol::Params params) {
    using protocol::Method;
    namespace p = protocol::params;
    switch (call.method.id) {
        case Method::daemon_hello: return hello(call);
        case Method::daemon_status: return daemon_status(call);
        case Method::daemon_check: return check(call, std::get<p::DaemonCheck>(params));
        case Method::daemon_shutdown: return shut_down(call, std::get<p::DaemonShutdown>(params));
        case Method::task_add: return add(call, std::get<p::TaskAdd>(params));
        case Method::task_remove:
        case Method::task_start:
        case Method::task_stop:
        case Method::task_restart:
        case Method::task_kill: return order(call, std::get<p::TaskOrder>(params));
        case Method::task_signal: return signal(call, std::get<p::TaskSignal>(params));
        case Method::task_status: return status(call, std::get<p::TaskStatus>(params));
        case Method::task_pause:
        case Method::task_resume: return freeze(call, std::get<p::TaskFreeze>(params));
        case Method::task_logs: return logs(call, std::get<p::TaskLogs>(params));
        case Method::task_wait: return wait(call, std::get<p::TaskWait>(params));
        case Method::events_subscribe: return subscribe(call, std::get<p::EventsSubscribe>(params));
        case Method::daemon_reload: return reload(call, std::get<p::DaemonReload>(params));
        case Method::daemon_upgrade: return upgrade(call, std::get<p::DaemonUpgrade>(params));
    }
}

void Methods::refuse(Call& call, const protocol::RpcError& error) {
    if (call.id) call.session.send(error_line(*call.id, error));
}

void Methods::answer_empty(Call& call) {
    if (call.id)
        call.session.send(result_line(*call.id, [](json::Writer& out) { out.begin_object().end_object(); }));
}

void Methods::answer(const PendingOrders::Answer& answer) {
    Session* session = find_session_(answer.session);
    if (session == nullptr) return;
    session->abandon();
    if (answer.request) session->or_drop([&] { answer_with(*session, answer); });
}

void Methods::answer_with(Session& session, const PendingOrders::Answer& answer) {
    if (answer.timed_out) {
        session.send(error_line(*answer.request,
                                {.code = protocol::ErrorCode::timeout,
                                 .message = "the time limit passed before every task was where it should be",
                                 .tasks = answer.outcomes}));
        return;
    }
    session.send(result_line(*answer.request, [&](json::Writer& out) {
        if (!answer.report) return protocol::write_outcomes(out, answer.outcomes);
        protocol::ReloadReport report = *answer.report;
        report.tasks = answer.outcomes;
        protocol::write_reload_report(out, report);
    }));
}

void Methods::changed(const core::effect::Announce& change) {
    for (const core::Settled& settled : world_.waits.observe(change))
        if (const auto complete = orders_.settle(settled, !change.to)) answer(*complete);
}

void Methods::expire(core::TimePoint now) {
    for (const auto& expired :
         orders_.expire(now, world_.waits, [this](core::TaskId task) { return state_of(task); }))
        answer(expired);
}

void Methods::forget(SessionId session) {
    orders_.forget(session, world_.waits);
    std::erase_if(awaiting_shutdown_, [&](const auto& entry) { return entry.first == session; });
}

void Methods::finished() {
    for (const auto& [id, request] : std::exchange(awaiting_shutdown_, {})) {
        Session* session = find_session_(id);
        if (session == nullptr) continue;
        session->abandon();
        session->send(result_line(request, [](json::Writer& out) { out.begin_object().end_object(); }));
    }
}

void Methods::say(const Call& call, std::string_view what) const {
    const os::Peer& peer = call.session.peer();
    world_.log->info("{}{}{} by uid {}, pid {} ({})", call.method.name, what.empty() ? "" : " ", what,
                     peer.uid, peer.pid, os::command_name(peer.pid));
}

void Methods::hello(Call& call) {
    if (!call.id) return;
    call.session.send(
        result_line(*call.id, [](json::Writer& out) { protocol::write_hello(out, {.version = kVersion}); }));
}

void Methods::daemon_status(Call& call) {
    if (!call.id) return;
    const auto clocks = read_clocks();
    protocol::DaemonStatus status{.version = kVersion,
                                  .pid = ::getpid(),
                                  .started_at = clocks.wall_time(world_.facts.started_at),
                                  .uptime = to_ms(clocks.steady - world_.facts.started_at),
                                  .config_files = world_.facts.config_files,
                                  .config_changed = world_.reloader.config_changed(),
                                  .config_fault = world_.reloader.config_fault(),
                                  .runtime_dir = world_.facts.runtime_dir,
                                  .socket = world_.facts.socket,
                                  .shutting_down = world_.supervisor.shutting_down(),
                                  .clients = clients_,
                                  .keeper_pid = {},
                                  .cgroup_home = {},
                                  .features = {},
                                  .tasks_by_state = world_.supervisor.count_by_state(),
                                  .dropped = world_.dropped,
                                  .load = {}};
    world_.look_at_platform(status);
    call.session.send(
        result_line(*call.id, [&](json::Writer& out) { protocol::write_daemon_status(out, status); }));
}

void Methods::check(Call& call, const protocol::params::DaemonCheck& params) {
    struct Work {
        std::string path;
        std::vector<std::string> problems;
        std::size_t tasks = 0;
        std::vector<std::string> files;
    };
    auto work = std::make_shared<Work>();
    work->path = params.path.value_or(world_.facts.config_file);
    work->problems.emplace_back("out of memory while it was read");
    call.session.promise();
    world_.loop.aside(
        [work] {
            ConfigFiles files;
            const auto loaded = config::load(files, work->path);
            std::vector<std::string> problems;
            if (loaded) {
                work->tasks = loaded->tasks.size();
                work->files = loaded->files;
            } else {
                for (const config::Problem& problem : loaded.error()) problems.push_back(problem.text());
            }
            work->problems = std::move(problems);
        },
        [this, work, id = call.id, from = call.session.id()] {
            Session* session = find_session_(from);
            if (session == nullptr) return;
            session->abandon();
            if (!id) return;
            session->or_drop([&] {
                if (!work->problems.empty()) {
                    session->send(error_line(*id, {.code = protocol::ErrorCode::config_invalid,
                                                   .message = work->path + " is not valid",
                                                   .problems = work->problems}));
                    return;
                }
                session->send(result_line(*id, [&](json::Writer& out) {
                    out.begin_object().member("tasks", work->tasks).key("files").begin_array();
                    for (const std::string& file : work->files) out.value(file);
                    out.end_array().end_object();
                }));
            });
        });
}

void Methods::shut_down(Call& call, const protocol::params::DaemonShutdown& params) {
    say(call, params.now ? "now" : "");
    if (call.id) {
        awaiting_shutdown_.emplace_back(call.session.id(), *call.id);
        call.session.promise();
    }
    world_.shut_down(params.now);
}

void Methods::subscribe(Call& call, const protocol::params::EventsSubscribe& params) {
    call.session.subscription = Subscription(params.names);
    call.session.subscribed = true;
    answer_empty(call);
}

std::string Methods::name_of(core::TaskId task) const {
    const auto report = world_.supervisor.report(task, std::chrono::steady_clock::now());
    return report ? std::string(report->name) : std::string();
}

std::string Methods::state_of(core::TaskId task) const {
    const auto report = world_.supervisor.report(task, std::chrono::steady_clock::now());
    return report ? std::string(core::to_string(report->state)) : std::string();
}

}  // namespace vigil::daemon
