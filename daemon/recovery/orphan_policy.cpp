#include "recovery/orphan_policy.hpp"

#include <chrono>
#include <utility>

#include "core/found_run.hpp"
#include "linux/file/random_name.hpp"
#include "recovery/run_ending.hpp"

namespace vigil::daemon {
namespace {

constexpr auto kEndLimit = std::chrono::seconds(5);

}  // namespace

void end_left_runs(Leftovers& left, const os::Features& features, RecordBook& book, spdlog::logger& log) {
    RunEnding ending(features);
    for (const state::Found& found : left.found)
        if (core::has_run(found.record.task.state)) ending.add(found);
    const auto survivors = ending.finish(kEndLimit);
    for (state::Found& found : left.found) {
        core::TaskRecord& task = found.record.task;
        if (!core::has_run(task.state)) continue;
        if (survivors.contains(os::to_hex(found.record.run.invocation))) {
            log.error("{}: daemon.orphan_policy is kill, but its processes do not end: taken over instead",
                      task.name);
            continue;
        }
        // Nobody had waited for anything but its end.
        const bool forgotten = core::is_left_by_shutdown(task);
        task = core::without_run(std::move(task));
        if (forgotten) task.desired = core::Desired::removed;
    }
    std::erase_if(left.found, [&](const state::Found& found) {
        const core::TaskRecord& task = found.record.task;
        const bool gone = task.desired == core::Desired::removed && !core::has_run(task.state);
        if (gone) book.drop(found);
        return gone;
    });
    if (ending.count() != 0)
        log.warn(
            "ended {} tasks that a daemon before this one had left running, as daemon.orphan_policy says",
            ending.count());
}

}  // namespace vigil::daemon
