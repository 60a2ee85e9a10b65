#include "linux/marked_processes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "linux/known_process.hpp"
#include "linux/random_name.hpp"
#include "linux/small_file.hpp"

namespace vigil::os {
namespace {

constexpr auto kExecLimit = std::chrono::seconds(1);
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

bool may_come_to_exec(const ProcessEntry& entry) {
    // Another vigild has threads, such a child has not.
    if (entry.threads > 1) return false;
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    const bool young = entry.start_time / ticks + kYoungSeconds >= static_cast<std::uint64_t>(now.tv_sec);
    return young && is_before_exec(entry.pid);
}

std::string directory_of_socket(std::string_view path) {
    constexpr std::string_view kNotify = "/notify/";
    const std::size_t place = path.rfind(kNotify);
    if (place == std::string_view::npos || path.find('/', place + kNotify.size()) != std::string_view::npos)
        return {};
    return std::string(path.substr(0, place));
}

/// False: somebody may be marked in a moment.
bool look_for_marked(std::string_view runtime_dir, std::vector<MarkedProcess>& found) {
    bool complete = true;
    const pid_t self = ::getpid();
    for_each_process([&](ProcessEntry entry) {
        if (entry.ended() || entry.of_kernel || entry.pid == self) return;
        const EnvironmentText environment = read_environment(entry.pid);
        auto marks = read_marks(environment);
        if (!marks || marks->runtime_dir != runtime_dir) {
            complete = complete && !environment.not_yet && !may_come_to_exec(entry);
            return;
        }
        const auto uid = real_uid(entry.pid);
        std::string cgroup = cgroup_of(entry.pid);
        if (uid) found.push_back({*std::move(marks), std::move(entry), *uid, std::move(cgroup)});
    });
    return complete;
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
    const auto until = std::chrono::steady_clock::now() + kExecLimit;
    for (;;) {
        std::vector<MarkedProcess> found;
        if (look_for_marked(runtime_dir, found) || std::chrono::steady_clock::now() >= until) return found;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
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
    for_each_process([&](ProcessEntry entry) {
        if (entry.ended() || entry.of_kernel) return;
        auto invocation = read_environment_variable(entry.pid, "VIGIL_INVOCATION").value;
        if (invocation && invocations.contains(*invocation))
            found.emplace_back(std::move(entry), *std::move(invocation));
    });
    return found;
}

std::string own_cgroup_path() {
    return cgroup_of(::getpid());
}

}  // namespace vigil::os
