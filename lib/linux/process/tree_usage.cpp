#include "linux/process/tree_usage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "linux/file/small_file.hpp"

namespace vigil::os {
namespace {

/// The second field of /proc/PID/statm, see proc(5).
std::uint64_t resident_bytes(pid_t pid) {
    static const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d/statm", pid);
    const auto text = read_small_file(AT_FDCWD, path);
    const std::size_t blank = text ? text->find(' ') : std::string::npos;
    if (blank == std::string::npos) return 0;
    std::uint64_t pages = 0;
    std::from_chars(text->data() + blank + 1, text->data() + text->size(), pages);
    return pages * page_size;
}

core::Duration from_ticks(std::uint64_t ticks) {
    static const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    constexpr std::uint64_t kNanoseconds = 1'000'000'000;
    return std::chrono::nanoseconds(ticks * (kNanoseconds / per_second));
}

}  // namespace

TreeUsage measure(ProcessTree& tree) {
    TreeUsage usage;
    const auto memory = tree.cgroup() ? tree.cgroup().memory() : std::nullopt;
    const auto cpu = tree.cgroup() ? tree.cgroup().cpu_time() : std::nullopt;
    std::uint64_t ticks = 0;
    for (const ProcessEntry& process : tree.members()) {
        if (process.ended()) continue;
        ++usage.processes;
        ticks += process.cpu_ticks;
        if (!memory) usage.memory += resident_bytes(process.pid);
    }
    if (memory) usage.memory = *memory;
    usage.cpu = cpu ? core::Duration(*cpu) : from_ticks(ticks);
    return usage;
}

}  // namespace vigil::os
