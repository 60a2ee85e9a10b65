#include "cleanup.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "exit_code.hpp"
#include "keeper/client.hpp"
#include "linux/cgroup.hpp"
#include "linux/process.hpp"
#include "linux/runtime_directory.hpp"
#include "linux/unix_listener.hpp"
#include "place.hpp"
#include "recovery/left_run.hpp"
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

struct Ended {
    std::size_t runs = 0;
    std::size_t left = 0;
};

Ended end_runs(const std::vector<state::Found>& found, const os::Features& features) {
    Ended ended;
    std::vector<UniqueFd> leaders;
    for (const state::Found& one : found) {
        if (!core::has_run(one.record.task.state)) continue;
        UniqueFd leader = kill_left_run(one, features);
        if (!leader) continue;
        leaders.push_back(std::move(leader));
        ++ended.runs;
    }
    const auto until = std::chrono::steady_clock::now() + kEndLimit;
    for (const UniqueFd& leader : leaders) {
        while (!os::has_ended(leader.get()) && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ended.left += os::has_ended(leader.get()) ? 0U : 1U;
    }
    return ended;
}

}  // namespace

int clean_up(const config::DaemonSettings& settings, const os::Features& features) {
    const auto fail = [](const Error& error) {
        std::fprintf(stderr, "vigild: --cleanup: %s\n", error.text().c_str());
        return exit_code::kCannotStart;
    };
    if (is_started_again()) return exit_code::kDone;
    const auto directories = choose_directories(settings);
    if (!directories) return fail(directories.error());
    const std::string& runtime = directories->runtime;
    // A clean shutdown leaves nothing behind, and systemd removes the directory.
    if (::access((runtime + "/lock").c_str(), F_OK) != 0) return exit_code::kDone;
    const auto lock = os::InstanceLock::take(runtime + "/lock");
    if (!lock) return fail(lock.error());

    Ended ended;
    const auto identity = state::Identity::current();
    if (!identity) return fail(identity.error());
    if (::access(state_table_path(*directories).c_str(), F_OK) == 0) {
        auto table = state::Table::open(state_table_path(*directories), *identity);
        if (!table) return fail(table.error());
        ended = end_runs(table->found, features);
        table->table.remove_file();
    }
    // Whatever else is in the cgroups of tasks goes with this.
    auto cgroups = os::CgroupHome::open(cgroup_wish(settings.cgroup), features);
    if (!cgroups) return fail(cgroups.error());
    ::unlink(spec_store_path(*directories).c_str());
    (void)keeper::end_at(runtime + "/keeper.sock");
    ::unlink((runtime + "/control.sock").c_str());
    (void)os::remove_stale_notify_sockets(runtime + "/notify");
    if (ended.runs != 0 || cgroups->ended != 0)
        std::fprintf(stderr, "vigild: ended %zu tasks that a vigild before had left running\n",
                     std::max(ended.runs, cgroups->ended));
    for (const std::string& left : cgroups->left) std::fprintf(stderr, "vigild: left: %s\n", left.c_str());
    return ended.left == 0 && cgroups->left.empty() ? exit_code::kDone : exit_code::kLeftBehind;
}

}  // namespace vigil::daemon
