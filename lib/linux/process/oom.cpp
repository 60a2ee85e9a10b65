#include "linux/process/oom.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "linux/file/small_file.hpp"

namespace vigil::os {
namespace {

constexpr std::size_t kMostRecords = 4096;
constexpr std::size_t kMostNamed = 64;

std::optional<std::uint64_t> count_kills() {
    const auto text = read_small_file(AT_FDCWD, "/proc/vmstat");
    return text ? find_counter(*text, "oom_kill") : std::nullopt;
}

}  // namespace

OomWatch::OomWatch()
    : log_(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)), kills_(count_kills()) {
    if (log_ && ::lseek(log_.get(), 0, SEEK_END) < 0) log_.reset();
}

bool OomWatch::killed(pid_t pid, const TaskCgroup& cgroup) {
    if (cgroup)
        if (const auto kills = cgroup.oom_kills()) return *kills != 0;
    read_log();
    const auto found = std::find(named_.rbegin(), named_.rend(), pid);
    if (found == named_.rend()) return false;
    named_.erase(std::prev(found.base()));
    return true;
}

/// The counter says whether there is anything to look for; but the kernel makes its text of hundreds of
/// counters, so that is asked only where the log, which costs next to nothing, has something new at all. One
/// record a read; EPIPE: records were overwritten before we came, the next one follows (the kernel's
/// Documentation/ABI/testing/dev-kmsg).
void OomWatch::read_log() {
    char record[8192];
    for (std::size_t count = 0; log_ && count < kMostRecords; ++count) {
        const ssize_t size = ::read(log_.get(), record, sizeof record);
        const bool passed_over = size < 0 && (errno == EPIPE || errno == EINTR || errno == EINVAL);
        if (size <= 0 && !passed_over) break;
        if (!passed_over)
            if (const auto victim = find_oom_victim({record, static_cast<std::size_t>(size)}))
                named_.push_back(*victim);
        if (count != 0) continue;
        // Linux 4.13 and later count; without the counter the whole log has to be read.
        const auto kills = count_kills();
        if (kills && kills == kills_) break;
        kills_ = kills;
    }
    if (named_.size() > kMostNamed) named_.erase(named_.begin(), named_.end() - kMostNamed);
}

std::optional<pid_t> find_oom_victim(std::string_view line) {
    // "<level>,<sequence>,<time>,<flags>;Out of memory: Killed process 4711 (name) total-vm:..." and the same
    // after "Memory cgroup out of memory: ". What a program writes there itself is of another facility.
    constexpr std::string_view kWords = "Killed process ";
    const std::size_t text = line.find(';');
    if (text == std::string_view::npos) return std::nullopt;
    unsigned priority = 0;
    constexpr unsigned kKernelPriorities = 8;  // facility 0
    std::from_chars(line.data(), line.data() + text, priority);
    const std::size_t words = line.find(kWords, text);
    if (priority >= kKernelPriorities || words == std::string_view::npos) return std::nullopt;
    const std::string_view digits = line.substr(words + kWords.size());
    pid_t pid = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), pid).ec != std::errc{} || pid <= 0)
        return std::nullopt;
    return pid;
}

}  // namespace vigil::os
