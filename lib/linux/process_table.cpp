#include "linux/process_table.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <string_view>

#include "base/unique_fd.hpp"

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
    constexpr int kFieldsBetween = 15;  // tty_nr (7) to itrealvalue (21)
    for (int i = 0; i < kFieldsBetween; ++i) next_field(rest);
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

template <typename Visit>
void for_each_process(Visit visit) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), ::closedir);
    if (!directory) return;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name = entry->d_name;
        pid_t pid = 0;
        if (name.front() < '0' || name.front() > '9' || !parse(name, pid)) continue;
        if (auto process = read_process(pid)) visit(*std::move(process));
    }
}

}  // namespace

std::vector<ProcessEntry> processes_of_session(pid_t session) {
    std::vector<ProcessEntry> found;
    for_each_process([&](ProcessEntry process) {
        if (process.session == session || process.group == session) found.push_back(std::move(process));
    });
    return found;
}

std::unordered_set<pid_t> occupied_sessions() {
    std::unordered_set<pid_t> ids;
    for_each_process([&](const ProcessEntry& process) { ids.insert({process.session, process.group}); });
    return ids;
}

}  // namespace vigil::os
