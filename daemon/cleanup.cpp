#include "cleanup.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/found_run.hpp"
#include "exit_code.hpp"
#include "keeper/client.hpp"
#include "linux/cgroup/cgroup.hpp"
#include "linux/file/random_name.hpp"
#include "linux/file/runtime_directory.hpp"
#include "linux/process/marked_processes.hpp"
#include "linux/process/process.hpp"
#include "linux/socket/unix_listener.hpp"
#include "place.hpp"
#include "recovery/run_ending.hpp"
#include "restart_watch.hpp"
#include "state/table.hpp"

namespace vigil::daemon {
namespace {

constexpr auto kEndLimit = std::chrono::seconds(5);

/// systemd starts the unit again after these (Restart=on-failure).
bool is_started_again() {
    const char* const result = std::getenv("SERVICE_RESULT");
    if (result == nullptr) return false;
    const std::string_view why(result);
    return why != "success" && why != "timeout";
}

/// The next vigild is to wait for what has not ended yet, and for nothing else.
void leave_in_table(state::Table& table, std::vector<state::Found>& found,
                    const std::unordered_set<std::string>& survivors) {
    for (state::Found& one : found) {
        const bool survives =
            core::has_run(one.record.task.state) && survivors.contains(os::to_hex(one.record.run.invocation));
        if (!survives) {
            table.release(one.slot);
            continue;
        }
        one.record.task = core::left_by_shutdown(std::move(one.record.task));
        one.record.run.notify_path.clear();
        table.write(one.slot, one.record);
    }
}

/// All but the table, the spec store and the lock.
void remove_what_stands(const Directories& directories) {
    (void)keeper::end_at(directories.runtime + "/keeper.sock");
    ::unlink((directories.runtime + "/control.sock").c_str());
    (void)os::remove_stale_notify_sockets(directories.runtime + "/notify");
}

}  // namespace

int clean_up(const config::DaemonSettings& settings, const os::Features& features) {
    const auto fail = [](const Error& error) {
        std::fprintf(stderr, "vigild: --cleanup: %s\n", error.text().c_str());
        return exit_code::kCannotStart;
    };
    const bool started_again = is_started_again();
    const auto directories = choose_directories(settings);
    if (!directories) return fail(directories.error());
    const std::string& runtime = directories->runtime;
    if (started_again && settings.orphan_policy == config::OrphanPolicy::adopt) {
        watch_restart(runtime, [&] { return clean_up(settings, features); });
        return exit_code::kDone;
    }
    // A clean shutdown leaves nothing behind, and systemd removes the directory.
    if (::access((runtime + "/lock").c_str(), F_OK) != 0) return exit_code::kDone;
    const auto lock = os::InstanceLock::take(runtime + "/lock");
    if (!lock) return fail(lock.error());

    RunEnding ending(features);
    const auto identity = state::Identity::current();
    if (!identity) return fail(identity.error());
    std::optional<state::Opened> records;
    if (::access(state_table_path(*directories).c_str(), F_OK) == 0) {
        auto table = state::Table::open(state_table_path(*directories), *identity);
        if (!table) return fail(table.error());
        records = std::move(table).value();
        for (const state::Found& one : records->found)
            if (core::has_run(one.record.task.state)) ending.add(one);
    }
    // And what no record tells of.
    for (const os::MarkedProcess& one : os::find_marked(one_spelling(runtime)))
        if (one.uid == 0 || one.uid == ::geteuid()) ending.add(one.marks.invocation);
    const auto survivors = ending.finish(kEndLimit);
    if (!started_again && records && !survivors.empty())
        leave_in_table(records->table, records->found, survivors);
    if (!started_again && survivors.empty()) {
        if (records) records->table.remove_file();
        ::unlink(spec_store_path(*directories).c_str());
    }
    // Whatever else is in the cgroups of tasks goes with this.
    auto cgroups = os::CgroupHome::open(cgroup_wish(settings.cgroup), features);
    if (!cgroups) return fail(cgroups.error());
    if (!started_again) remove_what_stands(*directories);
    if (ending.count() != 0 || cgroups->ended != 0)
        std::fprintf(stderr, "vigild: ended %zu tasks that a vigild before had left running\n",
                     std::max(ending.count(), cgroups->ended));
    for (const std::string& left : cgroups->left) std::fprintf(stderr, "vigild: left: %s\n", left.c_str());
    return survivors.empty() && cgroups->left.empty() ? exit_code::kDone : exit_code::kLeftBehind;
}

}  // namespace vigil::daemon
