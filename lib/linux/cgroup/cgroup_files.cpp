#include "linux/cgroup/cgroup_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>

#include "base/unique_fd.hpp"
#include "linux/file/small_file.hpp"
#include "linux/process/process.hpp"
#include "linux/process/process_table.hpp"

namespace vigil::os::cgroup_files {
namespace {

/// Nesting of cgroups that a task made below its own; deeper ones are the task's own affair.
constexpr int kMostDepth = 32;

bool is_gone(int code) {
    return code == ENOENT || code == ENODEV;
}

Result<void> outcome_of(int code, std::string doing) {
    if (code == 0 || is_gone(code)) return {};
    return Failure{Error{std::move(doing), code}};
}

std::vector<std::string> below(int directory, const std::string& name) {
    std::vector<std::string> names;
    struct stat status {};
    // Without a cgroup below, which is the rule, there is nothing to list.
    if (::fstatat(directory, name.c_str(), &status, 0) != 0 || status.st_nlink <= 2) return names;
    const int fd = ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return names;
    const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(fd), ::closedir);
    while (const dirent* entry = list ? ::readdir(list.get()) : nullptr)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') names.push_back(name + "/" + entry->d_name);
    if (!list) ::close(fd);
    return names;
}

void add_members(int directory, const std::string& name, int depth, std::vector<pid_t>& pids) {
    const auto text = read_small_file(directory, (name + "/cgroup.procs").c_str());
    if (text)
        for (const pid_t pid : parse_pids(*text))
            if (pid > 0) pids.push_back(pid);  // 0: of a pid namespace that we do not see
    if (depth == kMostDepth) return;
    for (const std::string& child : below(directory, name)) add_members(directory, child, depth + 1, pids);
}

/// Held by its pidfd, it must be in the cgroup still: else the number has gone to a stranger.
Result<void> kill_one(int directory, const std::string& name, pid_t pid) {
    const auto pidfd = open_pidfd(pid);
    if (!pidfd) return {};
    const auto now = members(directory, name);
    if (std::find(now.begin(), now.end(), pid) == now.end()) return {};
    auto sent = signal_process(pidfd->get(), SIGKILL);
    if (!sent && sent.error().code == ESRCH) return {};
    return sent;
}

Result<void> kill_one_by_one(int directory, const std::string& name) {
    constexpr int kMostRounds = 16;
    // A process in a frozen cgroup dies of SIGKILL and of nothing else.
    const auto frozen = freeze(directory, name, true);
    Result<void> outcome;
    for (int round = 0; round < kMostRounds; ++round) {
        outcome = {};
        const auto now = members(directory, name);
        if (now.empty()) break;
        for (const pid_t pid : now)
            if (auto killed = kill_one(directory, name, pid); !killed) outcome = std::move(killed);
        // Frozen, nothing new can come.
        if (frozen) break;
    }
    (void)freeze(directory, name, false);
    return outcome;
}

Result<void> remove_with_below(int directory, const std::string& name, int depth) {
    const auto try_it = [&] { return ::unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0 ? 0 : errno; };
    int code = try_it();
    if ((code == EBUSY || code == ENOTEMPTY) && depth < kMostDepth) {
        const auto children = below(directory, name);
        for (const std::string& child : children)
            if (auto removed = remove_with_below(directory, child, depth + 1); !removed) return removed;
        if (!children.empty()) code = try_it();
    }
    return outcome_of(code, "removing the cgroup " + name);
}

}  // namespace

bool populated(int directory, const std::string& name) {
    const auto text = read_small_file(directory, (name + "/cgroup.events").c_str());
    if (!text) return !is_gone(errno);
    return find_counter(*text, "populated").value_or(1) != 0;
}

std::vector<pid_t> members(int directory, const std::string& name) {
    std::vector<pid_t> pids;
    add_members(directory, name, 0, pids);
    return pids;
}

Result<void> freeze(int directory, const std::string& name, bool frozen) {
    const int code = write_small_file(directory, (name + "/cgroup.freeze").c_str(), frozen ? "1" : "0");
    return outcome_of(code, (frozen ? "freezing the cgroup " : "thawing the cgroup ") + name);
}

Result<void> kill(int directory, const std::string& name, bool with_cgroup_kill) {
    if (with_cgroup_kill) {
        const int code = write_small_file(directory, (name + "/cgroup.kill").c_str(), "1");
        if (code == 0) return {};
        if (!is_gone(code)) return Failure{Error{"killing the cgroup " + name, code}};
    }
    return kill_one_by_one(directory, name);
}

bool end_all(int directory, const std::string& name, bool with_cgroup_kill, std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    (void)freeze(directory, name, false);
    while (populated(directory, name)) {
        (void)kill(directory, name, with_cgroup_kill);
        if (!populated(directory, name)) break;
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

Result<void> remove(int directory, const std::string& name) {
    return remove_with_below(directory, name, 0);
}

}  // namespace vigil::os::cgroup_files
