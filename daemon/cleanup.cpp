#include "cleanup.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "exit_code.hpp"
#include "keeper/client.hpp"
#include "linux/cgroup.hpp"
#include "linux/marked_processes.hpp"
#include "linux/process.hpp"
#include "linux/runtime_directory.hpp"
#include "linux/unix_listener.hpp"
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

/// All but the table and the lock.
void remove_what_stands(const Directories& directories) {
    ::unlink(spec_store_path(directories).c_str());
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
    if (::access(state_table_path(*directories).c_str(), F_OK) == 0) {
        auto table = state::Table::open(state_table_path(*directories), *identity);
        if (!table) return fail(table.error());
        for (const state::Found& one : table->found)
            if (core::has_run(one.record.task.state)) ending.add(one);
        if (!started_again) table->table.remove_file();
    }
    // And what no record tells of.
    for (const os::MarkedProcess& one : os::find_marked(one_spelling(runtime)))
        if (one.uid == 0 || one.uid == ::geteuid()) ending.add(one.marks.invocation);
    const std::size_t still_there = ending.finish(kEndLimit).size();
    // Whatever else is in the cgroups of tasks goes with this.
    auto cgroups = os::CgroupHome::open(cgroup_wish(settings.cgroup), features);
    if (!cgroups) return fail(cgroups.error());
    if (!started_again) remove_what_stands(*directories);
    if (ending.count() != 0 || cgroups->ended != 0)
        std::fprintf(stderr, "vigild: ended %zu tasks that a vigild before had left running\n",
                     std::max(ending.count(), cgroups->ended));
    for (const std::string& left : cgroups->left) std::fprintf(stderr, "vigild: left: %s\n", left.c_str());
    return still_there == 0 && cgroups->left.empty() ? exit_code::kDone : exit_code::kLeftBehind;
}

}  // namespace vigil::daemon
