// vigil_fail_at REPORT ORDERS PROGRAM [ARGUMENT...]: runs a program, counts its system calls by kind, and has
// some of them fail with an error that is asked for.
//
// The kind of a call is its name; of one whose first argument is a descriptor the name and what that leads to
// ("write@pipe": file, dir, proc, memory, device, socket, pipe, epoll, event, timer, signal, pid, inotify,
// none); of one of a child before its exec "child:" and that.
//
// What is to fail stands in the file ORDERS, which is read at the program's exec and at each SIGUSR1: lines
// of "KIND[,KIND...] FIRST COUNT ERRNO". FIRST counts the calls of these kinds from 1 on, and the COUNT calls
// from there on fail (0: all), without being made, with that errno (a number). A KIND without "@" stands for
// all of that name. An empty file: none fails. SIGUSR2 ends it: what was met and what was counted is written
// down, and the program goes on undisturbed, until the next SIGUSR1.
//
// Each step is a line at the end of the file REPORT: "marked", "failed KIND NUMBER", "count KIND CALLS" and,
// as the last one after SIGUSR2 or the program's end, "ended". Exits with the program's exit code, or 128 and
// the signal.
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include "tracer.hpp"

namespace vigil::tools {
namespace {

constexpr std::string_view kTakeDescriptor[] = {
    "read",      "write",     "pread64", "pwrite64",  "readv",          "writev",  "preadv",
    "pwritev",   "sendto",    "sendmsg", "sendmmsg",  "recvfrom",       "recvmsg", "recvmmsg",
    "ftruncate", "fallocate", "fsync",   "fdatasync", "getdents64",     "ioctl",   "splice",
    "tee",       "fchmod",    "fchown",  "lseek",     "copy_file_range"};

/// What the descriptor of this thread leads to.
std::string_view described(pid_t tid, long fd) {
    std::array<char, 512> text{};
    const std::string path = "/proc/" + std::to_string(tid) + "/fd/" + std::to_string(static_cast<int>(fd));
    const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
    if (size <= 0) return "none";
    const std::string_view target(text.data(), static_cast<std::size_t>(size));
    constexpr std::array<std::array<std::string_view, 2>, 14> kKinds{{{"socket:", "socket"},
                                                                      {"pipe:", "pipe"},
                                                                      {"anon_inode:[eventpoll]", "epoll"},
                                                                      {"anon_inode:[eventfd]", "event"},
                                                                      {"anon_inode:[timerfd]", "timer"},
                                                                      {"anon_inode:[signalfd]", "signal"},
                                                                      {"anon_inode:[pidfd]", "pid"},
                                                                      {"pidfd:", "pid"},
                                                                      {"anon_inode:inotify", "inotify"},
                                                                      {"/memfd:", "memory"},
                                                                      {"/dev/", "device"},
                                                                      {"/proc", "proc"},
                                                                      {"/sys/", "proc"},
                                                                      {"/", "file"}}};
    for (const auto& [beginning, kind] : kKinds)
        if (target.starts_with(beginning)) return kind;
    return "none";
}

std::string kind_of(const Call& call) {
    std::string kind = (call.of_child ? "child:" : "") + call.name;
    const long asked = call.arguments[1];
    if (call.name == "epoll_ctl") return kind + (asked == EPOLL_CTL_ADD ? "@add" : "@other");
    if (call.name == "fcntl")
        return kind + (asked == F_DUPFD || asked == F_DUPFD_CLOEXEC ? "@dup" : "@other");
    if (std::find(std::begin(kTakeDescriptor), std::end(kTakeDescriptor), call.name) !=
        std::end(kTakeDescriptor))
        kind.append("@").append(described(call.tid, call.arguments[0]));
    return kind;
}

/// One line of the orders.
struct Fault {
    std::vector<std::string> kinds;
    unsigned long first = 1;
    unsigned long count = 0;
    int error = 0;
    unsigned long seen = 0;

    [[nodiscard]] bool names(const std::string& kind) const {
        const std::string name = kind.substr(0, kind.find('@'));
        return std::any_of(kinds.begin(), kinds.end(),
                           [&](const std::string& one) { return one == kind || one == name; });
    }
};

class Failing final : public Plan {
  public:
    Failing(const char* orders, const Report& report) : orders_(orders), report_(report) { begin(); }

    [[nodiscard]] bool counts_from_exec() const override { return true; }

    void begin() override {
        faults_.clear();
        counts_.clear();
        std::ifstream file(orders_);
        for (std::string line; std::getline(file, line);) {
            Fault fault;
            std::string kinds;
            if (!(std::istringstream(line) >> kinds >> fault.first >> fault.count >> fault.error)) {
                std::fprintf(stderr, "vigil_fail_at: \"%s\" is no order\n", line.c_str());
                std::exit(125);
            }
            std::istringstream names(kinds);
            for (std::string kind; std::getline(names, kind, ',');) fault.kinds.push_back(kind);
            faults_.push_back(std::move(fault));
        }
    }

    Verdict at_entry(const Call& call) override {
        const std::string kind = kind_of(call);
        ++counts_[kind];
        for (Fault& fault : faults_) {
            if (!fault.names(kind)) continue;
            ++fault.seen;
            if (fault.seen < fault.first || (fault.count != 0 && fault.seen >= fault.first + fault.count))
                continue;
            report_.say("failed " + kind + " " + std::to_string(fault.seen));
            return {.error = fault.error};
        }
        return {};
    }

    bool end() override {
        for (const auto& [kind, calls] : counts_) report_.say("count " + kind + " " + std::to_string(calls));
        counts_.clear();
        faults_.clear();
        report_.say("ended");
        return false;
    }

  private:
    const char* orders_;
    const Report& report_;
    std::vector<Fault> faults_;
    std::map<std::string, unsigned long> counts_;
};

}  // namespace
}  // namespace vigil::tools

int main(int argc, char** argv) {
    using namespace vigil::tools;
    if (argc < 4) {
        std::fputs("usage: vigil_fail_at REPORT ORDERS PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    const Report report(argv[1]);
    Failing plan(argv[2], report);
    return Tracer(plan, report).run(argv + 3);
}
