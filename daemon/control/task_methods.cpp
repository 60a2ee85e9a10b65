// The methods that name tasks.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/glob.hpp"
#include "base/signal_name.hpp"
#include "control/logs_answer.hpp"
#include "control/methods.hpp"
#include "control/status_answer.hpp"

namespace vigil::daemon {
namespace {

using protocol::ErrorCode;
using protocol::Method;
using protocol::TaskOutcome;

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

core::Cause by(const os::Peer& peer) {
    return {core::cause::ByOperator{{.uid = peer.uid, .pid = peer.pid}}};
}

protocol::RpcError exists_already(const std::string& name) {
    return {.code = ErrorCode::already_exists,
            .message = "a task named \"" + name + "\" exists already; remove it first",
            .names = {name}};
}

std::string join(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line.append(line.empty() ? "" : " ").append(word);
    return line;
}

}  // namespace

std::optional<std::vector<core::TaskId>> Methods::select(Call& call, const protocol::Patterns& patterns) {
    std::vector<core::TaskId> selected;
    std::vector<std::string> missing;
    const auto all = std::any_of(patterns.begin(), patterns.end(), is_glob) ? world_.supervisor.ids_by_name()
                                                                            : std::vector<core::TaskId>();
    for (const std::string& pattern : patterns) {
        const std::size_t before = selected.size();
        if (!is_glob(pattern)) {
            if (const auto task = world_.supervisor.find(pattern)) selected.push_back(*task);
        } else {
            const Glob glob(pattern);
            for (const core::TaskId task : all)
                if (glob.matches((*world_.supervisor.spec(task))->name)) selected.push_back(task);
        }
        if (selected.size() == before) missing.push_back(pattern);
    }
    if (!missing.empty()) {
        refuse(call, {.code = ErrorCode::no_such_task,
                      .message =
                          (missing.size() == 1 ? "no task is named " : "no tasks are named ") + join(missing),
                      .names = missing});
        return std::nullopt;
    }
    // A name that two patterns match is meant once.
    std::unordered_set<core::TaskId> seen;
    std::erase_if(selected, [&](core::TaskId task) { return !seen.insert(task).second; });
    return selected;
}

core::Ticket Methods::open(Call& call, std::optional<core::Duration> timeout) {
    call.session.promise();
    return orders_.open(call.session.id(), call.id,
                        timeout ? core::add_saturating(clock_now(), *timeout) : core::kNever);
}

void Methods::seal(core::Ticket ticket) {
    if (const auto complete = orders_.seal(ticket)) answer(*complete);
}

void Methods::give_order(core::Ticket ticket, core::TaskId task, const Order& order, bool wait) {
    const auto now = clock_now();
    const auto before = world_.supervisor.report(task, now);
    if (!before) return;
    const std::string name(before->name);
    const core::Generation generation = before->generation;
    decide([&] { world_.supervisor.handle(task, order.event, now); });
    const auto after = world_.supervisor.report(task, now);
    if (!after) {
        orders_.note(ticket,
                     {.name = name, .kind = TaskOutcome::Kind::done, .status = {}, .explanation = {}});
        return;
    }
    const auto settled = world_.waits.add(ticket, order.goal, *after, generation);
    if (settled) {
        orders_.note(ticket, outcome_of(*settled, false));
    } else if (wait) {
        orders_.expect(ticket, task, name);
    } else {
        orders_.note(ticket, {.name = name,
                              .kind = TaskOutcome::Kind::accepted,
                              .status = std::string(core::to_string(after->state)),
                              .explanation = {}});
    }
}

void Methods::order(Call& call, const protocol::params::TaskOrder& params) {
    const bool starts = call.method.id == Method::task_start || call.method.id == Method::task_restart;
    if (starts && world_.supervisor.shutting_down())
        return refuse(call, {.code = ErrorCode::busy,
                             .message = "the daemon is shutting down; nothing starts any more"});
    const auto tasks = select(call, params.names);
    if (!tasks) return;
    say(call, join(params.names) + (params.now ? " now" : "") + (params.persist ? " for good" : ""));

    const core::Cause cause = by(call.session.peer());
    const Order order = [&]() -> Order {
        switch (call.method.id) {
            case Method::task_start: return {core::event::Start{cause}, core::Goal::running};
            case Method::task_stop: return {core::event::Stop{cause}, core::Goal::stopped};
            case Method::task_restart: return {core::event::Restart{cause}, core::Goal::restarted};
            case Method::task_kill: return {core::event::Kill{cause, params.now}, core::Goal::dead};
            default: return {core::event::Remove{cause}, core::Goal::removed};
        }
    }();
    if (params.persist) return remove_from_files(call, params, *tasks, cause);
    os::spare_memory::require();
    const os::spare_memory::Used used;
    const core::Ticket ticket = open(call, params.timeout);
    for (const core::TaskId task : *tasks) give_order(ticket, task, order, params.wait);
    if (!params.wait) world_.waits.cancel(ticket);
    // Sealed before the turn: what it settles may be all that was awaited.
    seal(ticket);
    world_.turn();
}

std::string Methods::owner_of_log(const core::TaskSpec& spec) const {
    const auto wanted = world_.log_paths(spec);
    for (const core::TaskId task :
         wanted.empty() ? std::vector<core::TaskId>() : world_.supervisor.ids_by_name()) {
        const auto report = world_.supervisor.report(task, clock_now());
        const core::TaskSpec& other = **report->spec;
        const core::OutputRule& ours = spec.launch->output;
        const core::OutputRule& theirs = other.launch->output;
        // Logs by name differ where names do, but "api.err" may be both a name and the stderr of "api".
        const bool by_name = ours.path.empty() && theirs.path.empty();
        if (by_name && !ours.apart && !theirs.apart) continue;
        for (const std::string& path : world_.log_paths(other))
            if (std::find(wanted.begin(), wanted.end(), path) != wanted.end()) return other.name;
    }
    return {};
}

void Methods::add(Call& call, const protocol::params::TaskAdd& params) {
    if (const std::string fault = config::task_name_fault(params.name); !fault.empty())
        return refuse(call, {.code = ErrorCode::config_invalid, .message = fault, .problems = {fault}});
    auto spec = config::parse_task(*params.spec, params.name, world_.facts.defaults, "request");
    if (!spec) {
        protocol::RpcError error{.code = ErrorCode::config_invalid,
                                 .message = "the task \"" + params.name + "\" is not valid"};
        for (const config::Problem& problem : spec.error()) error.problems.push_back(problem.text());
        return refuse(call, error);
    }
    if (world_.supervisor.size() >= config::kMaxTasks)
        return refuse(call, {.code = ErrorCode::busy,
                             .message = fmt::format("there are {} tasks already, which is the limit",
                                                    config::kMaxTasks)});
    if (const std::string owner = owner_of_log(**spec); !owner.empty() && owner != params.name)
        return refuse(call, {.code = ErrorCode::config_invalid,
                             .message = "the task \"" + params.name + "\" is not valid",
                             .problems = {"output: its log is that of task " + owner +
                                          " already; give it another output.path"}});
    if (world_.supervisor.find(params.name)) return refuse(call, exists_already(params.name));
    say(call, params.name);
    call.session.promise();
    const Asker asker{call.session.id(), call.id};
    const NewTask task{std::move(spec).value(), params.wait,
                       params.timeout ? core::add_saturating(clock_now(), *params.timeout) : core::kNever};
    if (params.persist)
        add_to_files(asker, task, *params.spec);
    else
        (void)admit(asker, task);
}

bool Methods::admit(const Asker& asker, const NewTask& task) {
    os::spare_memory::require();
    const os::spare_memory::Used used;
    const auto added = decide([&] { return world_.supervisor.add(task.spec, clock_now()); });
    if (!added) {
        fail(asker,
             added.error() == core::Supervisor::AddError::shutting_down
                 ? protocol::RpcError{.code = ErrorCode::busy, .message = "the daemon is shutting down"}
                 : exists_already(task.spec->name));
        return false;
    }
    const core::Ticket ticket = orders_.open(asker.session, asker.request, task.deadline);
    follow_start(ticket, *added, task.wait);
    seal(ticket);
    deadline_moved_();
    world_.turn();
    return true;
}

/// The outcome of a task that was just added.
void Methods::follow_start(core::Ticket ticket, core::TaskId task, bool wait) {
    const auto report = world_.supervisor.report(task, clock_now());
    const std::string name(report->name);
    const bool autostart = (*report->spec)->autostart;
    if (!autostart || !wait)
        return orders_.note(ticket,
                            {.name = name,
                             .kind = autostart ? TaskOutcome::Kind::accepted : TaskOutcome::Kind::done,
                             .status = std::string(core::to_string(report->state)),
                             .explanation = {}});
    if (const auto settled = world_.waits.add(ticket, core::Goal::running, *report, core::Generation{}))
        orders_.note(ticket, outcome_of(*settled, false));
    else
        orders_.expect(ticket, task, name);
}

void Methods::signal(Call& call, const protocol::params::TaskSignal& params) {
    const auto tasks = select(call, params.names);
    if (!tasks) return;
    say(call, signal_name(params.signal) + " " + join(params.names));
    const core::Ticket ticket = open(call, std::nullopt);
    for (const core::TaskId task : *tasks) {
        const auto sent = world_.signal(task, params.signal);
        orders_.note(ticket, {.name = name_of(task),
                              .kind = sent ? TaskOutcome::Kind::done : TaskOutcome::Kind::failed,
                              .status = state_of(task),
                              .explanation = sent ? std::string() : sent.error().text()});
    }
    seal(ticket);
}

std::optional<std::vector<core::TaskId>> Methods::select_or_all(Call& call,
                                                                const protocol::Patterns& patterns) {
    return patterns.empty() ? world_.supervisor.ids_by_name() : select(call, patterns);
}

void Methods::freeze(Call& call, const protocol::params::TaskFreeze& params) {
    auto tasks = select(call, params.names);
    if (!tasks) return;
    say(call, join(params.names));
    const bool pause = call.method.id == Method::task_pause;
    const core::Cause cause = by(call.session.peer());
    os::spare_memory::require();
    const os::spare_memory::Used used;
    const core::Ticket ticket = open(call, std::nullopt);
    for (const core::TaskId task : *tasks) {
        const core::Event order =
            pause ? core::Event(core::event::Pause{cause}) : core::Event(core::event::Resume{cause});
        decide([&] { world_.supervisor.handle(task, order, clock_now()); });
        const auto report = world_.supervisor.report(task, clock_now());
        const bool reached = report && report->paused == pause;
        orders_.note(ticket, {.name = name_of(task),
                              .kind = reached ? TaskOutcome::Kind::done : TaskOutcome::Kind::failed,
                              .status = state_of(task),
                              .explanation = reached ? "" : "there is no running process to pause"});
    }
    seal(ticket);
    world_.turn();
}

void Methods::logs(Call& call, const protocol::params::TaskLogs& params) {
    auto tasks = select_or_all(call, params.names);
    if (!tasks || !call.id) return;
    call.session.send(std::make_unique<LogsAnswer>(world_, std::move(*tasks), *call.id));
}

void Methods::status(Call& call, const protocol::params::TaskStatus& params) {
    auto tasks = select_or_all(call, params.names);
    if (!tasks || !call.id) return;
    const bool shown = world_.access.permits(call.session.peer(), protocol::Right::admin);
    call.session.send(std::make_unique<StatusAnswer>(
        world_, std::move(*tasks), *call.id,
        StatusAnswer::Options{.spec = params.spec,
                              .details = params.details,
                              .fields = params.fields,
                              .env = shown ? config::EnvValues::shown : config::EnvValues::masked}));
}

}  // namespace vigil::daemon
