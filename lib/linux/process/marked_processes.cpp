#include "linux/process/marked_processes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <functional>
#include <optional>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "linux/file/random_name.hpp"
#include "linux/file/small_file.hpp"
#include "linux/process/known_process.hpp"

namespace vigil::os {
namespace {

constexpr auto kExecLimit = std::chrono::seconds(1);
constexpr auto kPause = std::chrono::milliseconds(2);
/// A spawn has to come to its exec in this time (SpawnerOptions::stuck_timeout); whatever runs our program
/// for longer is another vigild.
constexpr std::uint64_t kYoungSeconds = 10;

std::string_view after_line(std::string_view text, std::string_view start) {
    for (std::size_t place = text.find(start); place != std::string_view::npos;
         place = text.find(start, place + 1))
        if (place == 0 || text[place - 1] == '\n') {
            const std::string_view rest = text.substr(place + start.size());
            return rest.substr(0, rest.find('\n'));
        }
    return {};
}

std::string read_of(pid_t pid, const char* file) {
    const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
    return read_small_file(AT_FDCWD, path.c_str()).value_or(std::string());
}

std::string cgroup_of(pid_t pid) {
    const std::string text = read_of(pid, "cgroup");
    return std::string(after_line(text, "0::"));
}

std::optional<uid_t> real_uid(pid_t pid) {
    const std::string status = read_of(pid, "status");
    std::string_view line = after_line(status, "Uid:");
    line.remove_prefix(std::min(line.find_first_not_of("\t "), line.size()));
    uid_t uid = 0;
    if (std::from_chars(line.data(), line.data() + line.size(), uid).ec != std::errc{}) return std::nullopt;
    return uid;
}

/// Of a daemon before this one; it may be before its exec.
bool may_be_a_spawn(const ProcessEntry& entry) {
    // Another vigild has threads, such a child has not.
    if (entry.threads > 1) return false;
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return entry.start_time / ticks + kYoungSeconds >= static_cast<std::uint64_t>(now.tv_sec);
}

std::string directory_of_socket(std::string_view path) {
    constexpr std::string_view kNotify = "/notify/";
    const std::size_t place = path.rfind(kNotify);
    if (place == std::string_view::npos || path.find('/', place + kNotify.size()) != std::string_view::npos)
        return {};
    return std::string(path.substr(0, place));
}

/// Takes what a process shows; false: that may be something else in a moment.
using Take = std::function<bool(const ProcessEntry&, const EnvironmentText&)>;

/// One pass over /proc, and whoever could not show its environment in it asked until he does: others are born
/// meanwhile, but have their marks from somebody who was there. False: one has ended without showing it and
/// may have had children, or some could not be looked at.
bool look_at_environments(const Take& take, std::chrono::steady_clock::time_point until) {
    bool whole = true;
    std::vector<ProcessEntry> waiting;
    const pid_t self = ::getpid();
    const auto settled = [&](const ProcessEntry& entry) {
        const EnvironmentText environment = read_environment(entry.pid);
        return take(entry, environment) && !environment.not_yet;
    };
    const bool listed = for_each_process([&](ProcessEntry entry) {
        if (entry.ended() || entry.of_kernel || entry.pid == self || settled(entry)) return;
        waiting.push_back(std::move(entry));
    });
    while (!waiting.empty() && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(kPause);
        std::erase_if(waiting, [&](const ProcessEntry& entry) {
            const auto now = read_process(entry.pid);
            const bool there = now && now->start_time == entry.start_time && !now->ended();
            whole = whole && (there || entry.ending);
            return !there || settled(entry);
        });
    }
    return listed && whole && waiting.empty();
}

/// Passes until one of them is whole, a second at most; `begin` comes before each.
void look_until_whole(const std::function<void()>& begin, const Take& take) {
    const auto until = std::chrono::steady_clock::now() + kExecLimit;
    for (;;) {
        begin();
        if (look_at_environments(take, until) || std::chrono::steady_clock::now() >= until) return;
    }
}

}  // namespace

std::optional<RunMarks> read_marks(const EnvironmentText& environment) {
    const auto text = [&](std::string_view name) { return std::string(environment.find(name).value_or("")); };
    RunMarks marks{.runtime_dir = text("VIGIL_RUNTIME_DIR"),
                   .task = text("VIGIL_TASK"),
                   .generation = {},
                   .invocation = text("VIGIL_INVOCATION"),
                   .notify_path = text("NOTIFY_SOCKET")};
    if (marks.runtime_dir.empty()) marks.runtime_dir = directory_of_socket(marks.notify_path);
    const std::string number = text("VIGIL_GENERATION");
    std::uint64_t generation = 0;
    const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), generation);
    const bool is_number = fault == std::errc{} && end == number.data() + number.size() && generation != 0;
    if (!is_number || marks.runtime_dir.empty() || marks.task.empty() || !from_hex(marks.invocation))
        return std::nullopt;
    marks.generation = core::Generation{generation};
    return marks;
}

const MarkedProcess* MarkedRun::leader() const noexcept {
    const auto has_parent_here = [this](const MarkedProcess& one) {
        return std::any_of(processes.begin(), processes.end(),
                           [&](const MarkedProcess& other) { return other.entry.pid == one.entry.parent; });
    };
    // Clock ticks are long: who was forked in the same one has its parent here, the first one has not.
    const auto age = [&](const MarkedProcess& one) {
        return std::tuple(one.entry.start_time, has_parent_here(one), one.entry.pid);
    };
    const MarkedProcess* first = nullptr;
    for (const MarkedProcess& one : processes)
        if (one.leads() && (first == nullptr || age(one) < age(*first))) first = &one;
    return first;
}

std::vector<MarkedProcess> find_marked(std::string_view runtime_dir) {
    std::vector<MarkedProcess> found;
    const auto take = [&](const ProcessEntry& entry, const EnvironmentText& environment) {
        auto marks = read_marks(environment);
        if (!marks && may_be_a_spawn(entry)) {
            if (is_before_exec(entry.pid)) return false;
            // Its exec may have been between the two looks.
            const EnvironmentText now = read_environment(entry.pid);
            if (now.not_yet) return false;
            marks = read_marks(now);
        }
        if (!marks || marks->runtime_dir != runtime_dir) return true;
        const auto uid = real_uid(entry.pid);
        std::string cgroup = cgroup_of(entry.pid);
        if (uid) found.push_back({*std::move(marks), entry, *uid, std::move(cgroup)});
        return true;
    };
    look_until_whole([&] { found.clear(); }, take);
    return found;
}

std::vector<MarkedRun> group_by_run(std::vector<MarkedProcess> processes) {
    std::unordered_map<std::string, MarkedRun> by_invocation;
    for (MarkedProcess& one : processes) {
        MarkedRun& run = by_invocation[one.marks.invocation];
        run.processes.push_back(std::move(one));
    }
    std::vector<MarkedRun> runs;
    runs.reserve(by_invocation.size());
    for (auto& [invocation, run] : by_invocation) runs.push_back(std::move(run));
    return runs;
}

std::vector<std::pair<ProcessEntry, std::string>> find_invocations(
    const std::unordered_set<std::string>& invocations) {
    std::vector<std::pair<ProcessEntry, std::string>> found;
    const auto take = [&](const ProcessEntry& entry, const EnvironmentText& environment) {
        std::string invocation(environment.find("VIGIL_INVOCATION").value_or(""));
        if (invocations.contains(invocation)) found.emplace_back(entry, std::move(invocation));
        return true;
    };
    look_until_whole([&] { found.clear(); }, take);
    return found;
}

std::string own_cgroup_path() {
    return cgroup_of(::getpid());
}

}  // namespace vigil::os
