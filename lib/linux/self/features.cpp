#include "linux/self/features.hpp"

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <string>

#include "base/unique_fd.hpp"
#include "linux/process/pidfd_calls.hpp"
#include "linux/process/process.hpp"

namespace vigil::os {
namespace {

/// A child that ends at once, unreaped. The process has one thread, so a plain fork is fine.
struct Probe {
    pid_t pid = -1;
    UniqueFd pidfd;

    Probe() {
        pid = ::fork();
        if (pid == 0) ::_exit(42);
        if (pid > 0) pidfd.reset(pidfd_calls::open(pid));
    }
    ~Probe() { reap(); }
    void reap() {
        if (pid > 0) ::waitpid(pid, nullptr, 0);
        pid = -1;
    }
};

bool call_is_there(long number, long a, long b, long c) {
    // Arguments that are never valid: only a missing or filtered call answers ENOSYS or EPERM to them.
    const long result = ::syscall(number, a, b, c, 0, 0);
    return result >= 0 || (errno != ENOSYS && errno != EPERM);
}

struct Switch {
    std::string_view name;
    bool Features::*flag;
};
constexpr Switch kSwitches[] = {{"signal-process-group", &Features::signal_process_group},
                                {"exit-info", &Features::exit_info},
                                {"pidfd-inode", &Features::pidfd_inode},
                                {"proc-children", &Features::proc_children},
                                {"cgroup-kill", &Features::cgroup_kill},
                                {"keeper", &Features::keeper}};

}  // namespace

bool Features::disable(std::string_view name) noexcept {
    for (std::size_t place = 0; place < std::size(kSwitches); ++place) {
        if (kSwitches[place].name != name) continue;
        this->*kSwitches[place].flag = false;
        disabled_ |= 1U << place;
        return true;
    }
    return false;
}

std::vector<Features::Report> Features::report() const {
    std::vector<Report> all;
    for (std::size_t place = 0; place < std::size(kSwitches); ++place) {
        const bool disabled = (disabled_ >> place & 1U) != 0;
        all.push_back({kSwitches[place].name, disabled                       ? "disabled"
                                              : this->*kSwitches[place].flag ? "found"
                                                                             : "missing"});
    }
    return all;
}

std::string feature_names() {
    std::string names;
    for (const Switch& known : kSwitches) names.append(names.empty() ? "" : ", ").append(known.name);
    return names;
}

Features probe_features() {
    Features found;
    found.cgroup_kill = true;
    found.proc_children =
        ::access(("/proc/self/task/" + std::to_string(::getpid()) + "/children").c_str(), R_OK) == 0;
    Probe child;
    if (!child.pidfd) return found;
    // An unknown flag is EINVAL. The child leads no group, so a kernel that knows the flag says ESRCH.
    const int sent = pidfd_calls::send_signal(child.pidfd.get(), 0, pidfd_calls::kSignalProcessGroup);
    found.signal_process_group = sent == 0 || errno == ESRCH;
    found.pidfd_inode = unique_inode(child.pidfd.get()) != 0;
    child.reap();
    pidfd_calls::Info info;
    found.exit_info = pidfd_calls::get_info(child.pidfd.get(), pidfd_calls::kInfoExit, info) &&
                      (info.mask & pidfd_calls::kInfoExit) != 0;
    return found;
}

Result<void> check_required_calls() {
    struct Required {
        const char* name;
        long number;
        long a, b, c;
    };
    static constexpr Required kRequired[] = {
        {"clone3", SYS_clone3, 0, 0, 0},
        {"close_range", SYS_close_range, 1, 0, 0},
        {"pidfd_open", SYS_pidfd_open, -1, 0, 0},
        {"pidfd_send_signal", SYS_pidfd_send_signal, -1, 0, 0},
    };
    for (const Required& call : kRequired) {
        if (call_is_there(call.number, call.a, call.b, call.c)) continue;
        const int code = errno;
        return Failure{Error{
            std::string("the system call ") + call.name +
                " is not there: Linux 5.9 or later is needed, and a container's seccomp filter may refuse it",
            code}};
    }
    siginfo_t none{};
    if (::waitid(static_cast<idtype_t>(P_PIDFD), ~id_t{0} >> 1, &none, WEXITED | WNOHANG) != 0 &&
        errno != EBADF)
        return Failure{errno_error("waiting by pidfd: Linux 5.9 or later is needed")};
    return {};
}

}  // namespace vigil::os
