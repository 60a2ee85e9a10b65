#include "linux/process/process_table.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/unique_fd.hpp"
#include "linux/file/small_file.hpp"

namespace vigil::os {
namespace {

std::string_view next_field(std::string_view& rest) {
    const std::size_t end = rest.find(' ');
    const std::string_view field = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return field;
}

template <typename T>
bool parse(std::string_view field, T& out) {
    return std::from_chars(field.data(), field.data() + field.size(), out).ec == std::errc{};
}

/// proc(5), /proc/[pid]/stat. The command is in parentheses and may hold any byte, parentheses and newlines
/// included, so the last ')' ends it.
std::optional<ProcessEntry> parse_stat(std::string_view text) {
    const std::size_t open = text.find('(');
    const std::size_t close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close + 2 > text.size())
        return std::nullopt;
    ProcessEntry entry;
    entry.command = text.substr(open + 1, close - open - 1);
    std::string_view rest = text.substr(close + 2);
    const std::string_view state = next_field(rest);
    if (state.empty() || !parse(text, entry.pid) || !parse(next_field(rest), entry.parent) ||
        !parse(next_field(rest), entry.group) || !parse(next_field(rest), entry.session))
        return std::nullopt;
    entry.state = state.front();
    for (int field = 7; field < 9; ++field) next_field(rest);  // tty_nr, tpgid
    unsigned flags = 0;
    if (!parse(next_field(rest), flags)) return std::nullopt;
    constexpr unsigned kKernelThread = 0x00200000;  // PF_KTHREAD of linux/sched.h
    constexpr unsigned kExiting = 0x00000004;       // PF_EXITING
    entry.of_kernel = (flags & kKernelThread) != 0;
    entry.ending = (flags & kExiting) != 0;
    for (int field = 10; field < 14; ++field) next_field(rest);  // minflt to cmajflt
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    if (!parse(next_field(rest), user) || !parse(next_field(rest), system)) return std::nullopt;
    entry.cpu_ticks = user + system;
    for (int field = 16; field < 20; ++field) next_field(rest);  // cutime to nice
    if (!parse(next_field(rest), entry.threads)) return std::nullopt;
    next_field(rest);  // itrealvalue
    if (!parse(next_field(rest), entry.start_time)) return std::nullopt;
    return entry;
}

}  // namespace

std::optional<ProcessEntry> read_process(pid_t pid) {
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
    const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    char text[1024];
    const ssize_t size = ::read(file.get(), text, sizeof text);
    if (size <= 0) return std::nullopt;
    return parse_stat(std::string_view(text, static_cast<std::size_t>(size)));
}

namespace {

std::optional<std::string> read_environ(const std::string& directory) {
    return read_small_file(AT_FDCWD, (directory + "/environ").c_str());
}

/// That of a process whose first thread has ended is shown by the others only.
std::string environment_by_threads(pid_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/task";
    const std::unique_ptr<DIR, int (*)(DIR*)> threads(::opendir(path.c_str()), ::closedir);
    while (const dirent* entry = threads ? ::readdir(threads.get()) : nullptr) {
        if (entry->d_name[0] == '.') continue;
        if (auto text = read_environ(path + "/" + entry->d_name); text && !text->empty())
            return *std::move(text);
    }
    return {};
}

/// Whether the process has got so far in its exec that the new program's environment is in place: env_end,
/// field 51 of its stat. 0 as well where we may not know, but then the environment is not to be read either.
bool has_environment(std::string_view stat) {
    std::string_view rest = stat.substr(stat.rfind(')') + 1);
    for (int field = 2; field < 51; ++field) next_field(rest);
    return next_field(rest) != "0";
}

bool is_shortage(int code) {
    return code == EMFILE || code == ENFILE || code == ENOMEM;
}

}  // namespace

EnvironmentText read_environment(pid_t pid) {
    const std::string directory = "/proc/" + std::to_string(pid);
    auto text = read_environ(directory);
    if (text && !text->empty()) {
        EnvironmentText found;
        found.text.swap(*text);
        return found;
    }
    if (!text && (errno == EACCES || errno == EPERM)) return {};
    if (!text && is_shortage(errno)) return {.text = {}, .not_yet = true};
    // One that ends has no memory any more: nothing to be read, or ESRCH (Linux 6.16).
    const auto stat = read_small_file(AT_FDCWD, (directory + "/stat").c_str());
    if (!stat && is_shortage(errno)) return {.text = {}, .not_yet = true};
    const auto entry = stat ? parse_stat(*stat) : std::nullopt;
    if (!entry || entry->ended()) return {.text = {}, .ending = true};
    if (entry->ending && entry->threads > 1) {
        std::string of_others = environment_by_threads(pid);
        const bool not_yet = of_others.empty();
        return {.text = std::move(of_others), .not_yet = not_yet};
    }
    if (entry->ending || !has_environment(*stat))
        return {.text = {}, .not_yet = true, .ending = entry->ending};
    return {.text = read_environ(directory).value_or(std::string())};
}

std::optional<std::string_view> EnvironmentText::find(std::string_view name) const noexcept {
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = rest.find('\0');
        const std::string_view entry = rest.substr(0, end);
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
            return entry.substr(name.size() + 1);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return std::nullopt;
}

EnvironmentAnswer read_environment_variable(pid_t pid, std::string_view name) {
    const EnvironmentText environment = read_environment(pid);
    const auto value = environment.find(name);
    return {.value = value ? std::optional<std::string>(*value) : std::nullopt,
            .not_yet = environment.not_yet,
            .ending = environment.ending};
}

bool for_each_process(const std::function<void(ProcessEntry)>& visit,
                      const std::function<bool(pid_t)>& skip) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), ::closedir);
    bool whole = static_cast<bool>(directory);
    while (directory) {
        errno = 0;
        const dirent* entry = ::readdir(directory.get());
        if (entry == nullptr) return whole && errno == 0;
        const std::string_view name = entry->d_name;
        pid_t pid = 0;
        if (name.front() < '0' || name.front() > '9' || !parse(name, pid) || (skip && skip(pid))) continue;
        errno = 0;
        if (auto process = read_process(pid))
            visit(*std::move(process));
        else
            whole = whole && !is_shortage(errno);
    }
    return whole;
}

std::vector<pid_t> parse_pids(std::string_view text) {
    std::vector<pid_t> pids;
    const char* place = text.data();
    const char* const end = place + text.size();
    while (place != end) {
        pid_t pid = 0;
        const auto [next, fault] = std::from_chars(place, end, pid);
        if (fault == std::errc{}) pids.push_back(pid);
        place = next == place ? place + 1 : next;
    }
    return pids;
}

namespace {

/// The children of every thread of the process; that of most has one.
std::vector<pid_t> children_of(const ProcessEntry& process) {
    char path[64];
    if (process.ended()) return {};
    if (process.threads <= 1) {
        std::snprintf(path, sizeof path, "/proc/%d/task/%d/children", process.pid, process.pid);
        return parse_pids(read_small_file(AT_FDCWD, path).value_or(std::string()));
    }
    std::snprintf(path, sizeof path, "/proc/%d/task", process.pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> threads(::opendir(path), ::closedir);
    std::string all;
    while (const dirent* entry = threads ? ::readdir(threads.get()) : nullptr) {
        if (entry->d_name[0] == '.') continue;
        const std::string file = std::string(entry->d_name) + "/children";
        all += read_small_file(::dirfd(threads.get()), file.c_str()).value_or(std::string());
    }
    return parse_pids(all);
}

/// Adds the root, unless its number has gone to another process.
void add_root(std::vector<ProcessEntry>& found, const ProcessId& root) {
    auto entry = read_process(root.pid);
    if (entry && (root.start_time == 0 || entry->start_time == root.start_time))
        found.push_back(*std::move(entry));
}

void add_below_by_children(std::vector<ProcessEntry>& found) {
    for (std::size_t next = 0; next < found.size(); ++next) {
        const pid_t parent = found[next].pid;
        for (const pid_t pid : children_of(found[next])) {
            // Reaped and its number used again in between: then it has another parent.
            auto entry = read_process(pid);
            if (entry && entry->parent == parent) found.push_back(*std::move(entry));
        }
    }
}

void add_below_by_pass(std::vector<ProcessEntry>& found) {
    std::unordered_multimap<pid_t, ProcessEntry> by_parent;
    for_each_process([&](ProcessEntry entry) {
        const pid_t parent = entry.parent;
        by_parent.emplace(parent, std::move(entry));
    });
    for (std::size_t next = 0; next < found.size(); ++next) {
        const auto [begin, end] = by_parent.equal_range(found[next].pid);
        for (auto child = begin; child != end; ++child) found.push_back(std::move(child->second));
        by_parent.erase(begin, end);
    }
}

}  // namespace

std::vector<ProcessEntry> processes_below(std::span<const ProcessId> roots, const Features& features) {
    std::vector<ProcessEntry> found;
    for (const ProcessId& root : roots) add_root(found, root);
    if (found.empty()) return found;
    features.proc_children ? add_below_by_children(found) : add_below_by_pass(found);
    return found;
}

}  // namespace vigil::os
