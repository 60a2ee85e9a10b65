// What a daemon is made of that can fail to be made, in the order that one thing needs of another.
#include <sys/epoll.h>

#include <utility>

#include "daemon.hpp"
#include "environment_language.hpp"
#include "linux/file/runtime_directory.hpp"
#include "linux/self/limits.hpp"
#include "linux/self/signals.hpp"
#include "recovery/take_stock.hpp"

namespace vigil::daemon {
namespace {

/// Of a task: the process, its notify socket, and what passes through while it is started.
constexpr std::size_t kTaskDescriptors = 3;
/// Of the daemon itself, and of as many clients as it usually has.
constexpr std::size_t kOwnDescriptors = 128;

void say_cgroups(const os::CgroupHome::Opened& opened, spdlog::logger& log) {
    if (opened.home) {
        log.info("each task gets a cgroup below {}", opened.home->base());
    } else {
        log.info("tasks get no cgroups: {}", opened.reason);
    }
    if (opened.ended != 0)
        log.warn("ended {} tasks that a daemon before this one had left running", opened.ended);
    for (const std::string& left : opened.left) log.error("a cgroup of a daemon before this one: {}", left);
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::create(Process process, Place place, ReadConfig config,
                                               std::shared_ptr<spdlog::logger> log) {
    os::SpawnerOptions options;
    options.notify_directory = place.notify_directory;
    options.runtime_directory = place.marked_directory;
    options.daemon_environment = process.environment;
    options.language = environment_language();
    options.open_files = process.open_files.at_start;
    options.low_descriptors = process.low_descriptors;
    RecordBook::Opened records =
        take_stock(place, config.config, process.features, process.handover.has_value(), log);
    Heirs heirs(std::move(records.leftovers), config.config, process.features, *records.book, *log);
    if (const auto swept =
            os::remove_stale_notify_sockets(place.notify_directory, heirs.notify_paths(place.kept));
        !swept)
        return Failure{swept.error()};
    auto cgroups =
        os::CgroupHome::open(cgroup_wish(config.config.daemon.cgroup), process.features, heirs.cgroups());
    if (!cgroups) return Failure{cgroups.error()};
    say_cgroups(*cgroups, *log);
    options.cgroups = cgroups->home;
    options.before_child = [keeping = place.keeping.get()](const os::SpawnJob& job,
                                                           const os::RunDescriptors& descriptors) {
        keeping->hold(job, descriptors);
    };
    // The threads of the output take a descriptor table of their own: before the spawner opens more.
    const TaskOutput::Settings settings{
        .log_dir = place.directories.log,
        .group = place.access.group.value_or(static_cast<gid_t>(-1)),
        .notes = place.keeping->hold_notes(place.kept),
        .drained = [keeping = place.keeping.get()](const std::string& task, core::Generation run) {
            keeping->let_go(KeptKind::output, task, run);
            keeping->let_go(KeptKind::error_output, task, run);
        }};
    auto output = TaskOutput::create(*process.loop, settings, log);
    if (!output) return Failure{output.error()};
    os::reserve_descriptors(kOwnDescriptors + kTaskDescriptors * config.config.tasks.size());
    auto spawner = os::Spawner::create(std::move(options));
    if (!spawner) return Failure{spawner.error()};
    // Edge-triggered: it says once that there is something, however late that is taken.
    if (const auto added = process.loop->task_watches().add(
            (*spawner)->readable_fd(), {.kind = os::WatchKind::spawner}, EPOLLIN | EPOLLET);
        !added)
        return Failure{added.error()};
    auto child_signals = os::child_signals();
    if (!child_signals) return Failure{child_signals.error()};
    // Edge-triggered too: it is left alone until orphans are looked for.
    if (const auto added = process.loop->task_watches().add(
            child_signals->get(), {.kind = os::WatchKind::children}, EPOLLIN | EPOLLET);
        !added)
        return Failure{added.error()};
    // Only now: what was made above has handles in it, and would outlive it in a refusal.
    auto loop = std::move(process.loop);
    return std::unique_ptr<Daemon>(new Daemon(std::move(process), std::move(place), std::move(config),
                                              Parts{.loop = std::move(loop),
                                                    .book = std::move(records.book),
                                                    .heirs = std::move(heirs),
                                                    .cgroups = std::move(cgroups->home),
                                                    .output = std::move(output).value(),
                                                    .spawner = std::move(spawner).value(),
                                                    .child_signals = std::move(child_signals).value()},
                                              std::move(log)));
}

}  // namespace vigil::daemon
