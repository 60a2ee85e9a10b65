#include "linux/process/known_process.hpp"

#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <optional>
#include <thread>

#include "linux/process/process.hpp"
#include "linux/process/process_table.hpp"

namespace vigil::os {
namespace {

constexpr auto kExecLimit = std::chrono::seconds(1);

/// By the mark in its environment, for a process that nothing else is known of.
bool is_marked(const KnownProcess& known, int pidfd) {
    const auto until = std::chrono::steady_clock::now() + kExecLimit;
    for (;;) {
        // In this order: an exec in between shows the mark.
        const bool before_exec = is_before_exec(known.pid);
        const EnvironmentAnswer answer = read_environment_variable(known.pid, "VIGIL_INVOCATION");
        if (answer.value == known.invocation) return true;
        const bool may_come = answer.not_yet || before_exec;
        if (!may_come || has_ended(pidfd)) return false;
        if (std::chrono::steady_clock::now() >= until) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    (void)signal_process(pidfd, SIGKILL);
    return false;
}

}  // namespace

bool is_before_exec(pid_t pid) {
    struct stat theirs {};
    struct stat ours {};
    const std::string exe = "/proc/" + std::to_string(pid) + "/exe";
    if (::stat(exe.c_str(), &theirs) != 0 || ::stat("/proc/self/exe", &ours) != 0) return false;
    return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

UniqueFd find_again(const KnownProcess& known, const Features& features) {
    if (known.pid <= 0) return {};
    auto pidfd = open_pidfd(known.pid);
    if (!pidfd) return {};
    const std::uint64_t inode = features.pidfd_inode ? unique_inode(pidfd->get()) : 0;
    bool same = false;
    if (known.inode != 0 && inode != 0) {
        same = inode == known.inode;
    } else if (known.start_time != 0) {
        const auto entry = read_process(known.pid);
        same = entry && entry->start_time == known.start_time;
    } else {
        same = is_marked(known, pidfd->get());
    }
    // What was read by number was read of this process only if it is there still.
    if (!same || (inode == 0 && !signal_process(pidfd->get(), 0))) return {};
    return std::move(pidfd).value();
}

}  // namespace vigil::os
