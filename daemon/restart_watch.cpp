#include "restart_watch.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <thread>

#include "base/unique_fd.hpp"
#include "linux/file/small_file.hpp"
#include "linux/spawn/other_program.hpp"

namespace vigil::daemon {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{200};
constexpr milliseconds kAnswerLimit{5000};
/// Longer than anybody's RestartSec.
constexpr std::chrono::hours kWatchLimit{1};

/// Nothing: nobody can tell.
std::optional<std::string> state_of(const std::string& unit) {
    const auto answer =
        os::ask_program("/bin/systemctl", {"systemctl", "show", "--property=ActiveState", "--value", unit},
                        STDERR_FILENO, kAnswerLimit);
    if (!answer || !answer->in_time) return std::nullopt;
    return answer->output.substr(0, answer->output.find('\n'));
}

/// Whether the unit was stopped. False: it is active again, it has failed for good (then what runs is left to
/// the next start), or nobody knows.
bool was_stopped(const std::string& unit) {
    const auto until = Clock::now() + kWatchLimit;
    while (Clock::now() < until) {
        const auto state = state_of(unit);
        if (state == "inactive") return true;
        if (state == "active" || state == "failed") return false;
        std::this_thread::sleep_for(kLook);
    }
    return false;
}

}  // namespace

std::string service_of(std::string_view cgroups) {
    std::string found;
    while (!cgroups.empty()) {
        std::string_view line = cgroups.substr(0, cgroups.find('\n'));
        cgroups.remove_prefix(std::min(cgroups.size(), line.size() + 1));
        // "0::/system.slice/vigil.service/.control"; where version 1 is in use as well,
        // "1:name=systemd:/...".
        const bool of_systemd =
            line.starts_with("0::") || line.find(":name=systemd:") != std::string_view::npos;
        while (of_systemd && !line.empty()) {
            const std::string_view part = line.substr(0, line.find('/'));
            line.remove_prefix(std::min(line.size(), part.size() + 1));
            if (part.ends_with(".service")) found = part;
        }
        if (!found.empty()) break;
    }
    return found;
}

void watch_restart(const std::string& runtime_dir, const std::function<int()>& clean_up) {
    const auto cgroups = os::read_small_file(AT_FDCWD, "/proc/self/cgroup");
    const std::string unit = cgroups ? service_of(*cgroups) : std::string();
    if (unit.empty()) return;
    // Crash after crash, one of these is enough. The lock is on the directory, so that it leaves no file
    // behind.
    const UniqueFd place(::open(runtime_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!place || ::flock(place.get(), LOCK_EX | LOCK_NB) != 0) return;
    // systemd waits for the process that it has started, and that one only.
    if (::fork() != 0) return;
    ::setsid();
    ::unsetenv("SERVICE_RESULT");
    ::_exit(was_stopped(unit) ? clean_up() : 0);
}

}  // namespace vigil::daemon
