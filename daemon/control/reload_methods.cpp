// daemon.reload, and what of task.add and task.remove reaches into the configuration files.
#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "control/methods.hpp"
#include "linux/file/durable_file.hpp"
#include "reload/config_store.hpp"
#include "reload/reload_text.hpp"

namespace vigil::daemon {
namespace {

using protocol::ErrorCode;
using Verdict = Reloader::Verdict;

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

protocol::RpcError busy(std::string why) {
    return {.code = ErrorCode::busy, .message = std::move(why)};
}

protocol::RpcError invalid(std::string why) {
    return {.code = ErrorCode::config_invalid, .message = std::move(why)};
}

/// Of work in another thread, until it is done.
Failure<Error> not_done() {
    return Failure{Error{"working on the file", ENOMEM}};
}

constexpr const char* kFilesBusy =
    "the configuration is being read or written for another request; try again in a moment";

}  // namespace

void Methods::fail(const Asker& asker, const protocol::RpcError& error) {
    Session* session = find_session_(asker.session);
    if (session == nullptr) return;
    session->abandon();
    if (asker.request) session->or_drop([&] { session->send(error_line(*asker.request, error)); });
}

/// What one daemon.reload has to be remembered for while it is on its way.
struct Methods::Reload {
    Asker asker;
    bool dry_run;
    bool wait;
    core::TimePoint deadline;
    config::EnvValues env;
    core::Ticket ticket{};
};

void Methods::reload(Call& call, const protocol::params::DaemonReload& params) {
    if (!params.dry_run) say(call, "");
    call.session.promise();
    const bool shown = world_.access.permits(call.session.peer(), protocol::Right::admin);
    auto one = std::make_shared<Reload>(
        Reload{.asker = {call.session.id(), call.id},
               .dry_run = params.dry_run,
               .wait = params.wait,
               .deadline = params.timeout ? core::add_saturating(clock_now(), *params.timeout) : core::kNever,
               .env = shown ? config::EnvValues::shown : config::EnvValues::masked});
    Reloader::Follower follower;
    follower.judged = [this, one](const Reloader::Judgement& judgement) { judged(*one, judgement); };
    follower.order = [this, one](core::TaskId task, const core::Event& event,
                                 std::optional<core::Goal> goal) {
        if (goal)
            give_order(one->ticket, task, {event, *goal}, one->wait);
        else
            decide([&] { world_.supervisor.handle(task, event, clock_now()); });
    };
    follower.added = [this, one](core::TaskId task) { follow_start(one->ticket, task, one->wait); };
    follower.applied = [this, one] {
        if (!one->wait) world_.waits.cancel(one->ticket);
        seal(one->ticket);
        deadline_moved_();
    };
    world_.reloader.propose(params.dry_run, std::move(follower));
}

void Methods::judged(Reload& one, const Reloader::Judgement& judgement) {
    if (judgement.verdict == Verdict::busy) return fail(one.asker, busy(judgement.why));
    if (judgement.verdict == Verdict::invalid) {
        protocol::RpcError error = invalid(world_.facts.config_file + " is not valid; nothing was changed");
        error.problems = judgement.problems;
        return fail(one.asker, error);
    }
    protocol::ReloadReport report = report_of(judgement.plan, one.env);
    report.applied = !one.dry_run;
    one.ticket = orders_.open(one.asker.session, one.asker.request, one.deadline);
    orders_.answer_with(one.ticket, std::move(report));
    if (one.dry_run) seal(one.ticket);
}

void Methods::add_to_files(const Asker& asker, NewTask task, json::Value object) {
    struct Work {
        std::string path;
        NewTask task;
        json::Value object;
        Result<void> outcome = not_done();
    };
    auto work = std::make_shared<Work>();
    work->path = stored_path(world_.facts.config_file, task.spec->name);
    work->task = std::move(task);
    work->object = std::move(object);
    const std::string& name = work->task.spec->name;
    if (const std::string file = world_.reloader.file_of(name); !file.empty())
        return fail(asker,
                    invalid(fmt::format("the task \"{}\" is in the configuration already ({}); start it "
                                        "by a reload, or take it out there",
                                        name, file)));
    if (!world_.reloader.includes(work->path))
        return fail(asker, invalid(fmt::format("{} does not include {}; add \"include\": [\"conf.d/*.json\"]",
                                               world_.facts.config_file, work->path)));
    if (!world_.reloader.begin_change()) return fail(asker, busy(kFilesBusy));
    world_.loop.aside([work] { work->outcome = store_task(work->path, work->task.spec->name, work->object); },
                      [this, work, asker] {
                          if (!work->outcome) {
                              fail(asker,
                                   invalid("not persisted, and not added: " + work->outcome.error().text()));
                              return world_.reloader.end_change();
                          }
                          world_.log->info("wrote {}", work->path);
                          if (admit(asker, work->task)) {
                              world_.reloader.task_written(work->task.spec->name, work->path);
                              return world_.reloader.end_change();
                          }
                          work->outcome = not_done();
                          world_.loop.aside([work] { work->outcome = os::remove_durably(work->path); },
                                            [this, work] {
                                                if (!work->outcome)
                                                    world_.log->error("{}", work->outcome.error().text());
                                                world_.reloader.end_change();
                                            });
                      });
}

/// Files first: a task whose file cannot go stays.
void Methods::remove_from_files(Call& call, const protocol::params::TaskOrder& params,
                                const std::vector<core::TaskId>& tasks, const core::Cause& cause) {
    struct Work {
        std::vector<std::string> names;
        std::vector<std::pair<std::string, std::string>> stored;  ///< task and its file
        std::size_t removed = 0;
        Result<void> outcome = not_done();
    };
    auto work = std::make_shared<Work>();
    for (const core::TaskId task : tasks) {
        const std::string name = name_of(task);
        const std::string file = world_.reloader.file_of(name);
        const std::string path = stored_path(world_.facts.config_file, name);
        work->names.push_back(name);
        if (file.empty()) continue;
        if (file != path)
            return refuse(call, invalid(fmt::format("the task \"{}\" stands in {}, not in a file of its own; "
                                                    "take it out there and reload",
                                                    name, file)));
        work->stored.emplace_back(name, path);
    }
    if (!world_.reloader.begin_change()) return refuse(call, busy(kFilesBusy));
    const core::Ticket ticket = open(call, params.timeout);
    const Asker asker{call.session.id(), call.id};
    world_.loop.aside(
        [work] {
            Result<void> outcome;
            for (const auto& [name, path] : work->stored)
                if (outcome) outcome = check_holds_only(path, name);
            for (const auto& [name, path] : work->stored) {
                if (outcome) outcome = os::remove_durably(path);
                if (outcome) ++work->removed;
            }
            work->outcome = std::move(outcome);
        },
        [this, work, ticket, asker, cause, wait = params.wait] {
            for (std::size_t i = 0; i < work->removed; ++i)
                world_.reloader.task_unwritten(work->stored[i].first, work->stored[i].second);
            if (!work->outcome) {
                orders_.drop(ticket);
                fail(asker, invalid("nothing was stopped: " + work->outcome.error().text()));
                return world_.reloader.end_change();
            }
            for (const std::string& name : work->names)
                if (const auto task = world_.supervisor.find(name))
                    give_order(ticket, *task, {core::event::Remove{cause}, core::Goal::removed}, wait);
            if (!wait) world_.waits.cancel(ticket);
            seal(ticket);
            world_.turn();
            world_.reloader.end_change();
        });
}

}  // namespace vigil::daemon
