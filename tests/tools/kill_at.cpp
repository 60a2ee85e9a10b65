// vigil_kill_at REPORT CALL[:exit] PROGRAM [ARGUMENT...]: runs a program, counts its system calls, and kills
// it by SIGKILL at one of them.
//
// Counted are those of all its threads and of its children until their exec (a spawn is the daemon's work
// until then), from SIGUSR1 on or, with CALL beginning with "+", from the program's exec on. At call number
// CALL the whole process is killed before the kernel carries the call out, with ":exit" after that; the
// children live on. 0 kills at none. SIGUSR2 ends the story: the number is written down and the process is
// killed where it stands.
//
// Each step is a line at the end of the file REPORT: "marked", "killed 17 entry write", "counted 240". Exits
// with 0 when it has killed, else with the program's exit code, or 128 and the signal.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <utility>

namespace {

constexpr int kSystemCallStop = SIGTRAP | 0x80;
constexpr int kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "vigil_kill_at: %s: %s\n", what, std::strerror(errno));
    std::exit(125);
}

// The address and the data are pointers to glibc, and numbers to most requests.
long trace(__ptrace_request request, pid_t tid, unsigned long address = 0, const void* argument = nullptr) {
    return ::ptrace(request, tid, address, argument);
}

struct SystemCall {
    unsigned long number;
    const char* name;
};
constexpr SystemCall kSystemCalls[] = {
#include "system_calls.inc"
};

std::string name_of(unsigned long number) {
    for (const SystemCall& call : kSystemCalls)
        if (call.number == number) return call.name;
    return "call " + std::to_string(number);
}

/// The process that a thread belongs to; 0 when it is gone.
pid_t process_of(pid_t thread) {
    std::ifstream status("/proc/" + std::to_string(thread) + "/status");
    for (std::string word; status >> word;)
        if (word == "Tgid:" && status >> word) return std::atoi(word.c_str());
    return 0;
}

struct Target {
    unsigned long call = 0;
    bool at_exit = false;
    bool from_exec = false;
};

Target parse_target(std::string text) {
    Target target;
    target.from_exec = text.starts_with('+');
    if (target.from_exec) text.erase(0, 1);
    target.at_exit = text.ends_with(":exit");
    char* end = nullptr;
    target.call = std::strtoul(text.c_str(), &end, 10);
    if (end == text.c_str() || (*end != '\0' && std::strcmp(end, ":exit") != 0)) {
        std::fprintf(stderr, "vigil_kill_at: \"%s\" is no number of a call\n", text.c_str());
        std::exit(125);
    }
    return target;
}

class Tracer {
  public:
    Tracer(Target target, const char* report)
        : target_(target), report_(::open(report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
        if (report_ < 0) fail(report);
    }

    /// The exit code.
    int run(char** command) {
        // Taken one after the other below, so that none slips in between a look and the wait.
        sigset_t wanted;
        ::sigemptyset(&wanted);
        for (const int number : {SIGCHLD, SIGUSR1, SIGUSR2}) ::sigaddset(&wanted, number);
        ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
        start(command, wanted);
        while (!over_) {
            const int number = ::sigwaitinfo(&wanted, nullptr);
            if (number == SIGUSR1) mark();
            if (number == SIGUSR2) finish();
            int status = 0;
            for (pid_t tid = 0; !over_ && (tid = ::waitpid(-1, &status, __WALL | WNOHANG)) > 0;)
                seen(tid, status);
        }
        return exit_code_;
    }

  private:
    struct Thread {
        bool child = false;        ///< of a process that was spawned and is before its exec
        unsigned long number = 0;  ///< of the call it is in; 0 for one that is not counted
        bool interrupted = false;  ///< is to stop for the mark
        bool resumes = false;      ///< its next call is the one that the mark interrupted
    };

    void start(char** command, const sigset_t& wanted) {
        int gate[2];
        if (::pipe2(gate, O_CLOEXEC) != 0) fail("pipe2");
        root_ = ::fork();
        if (root_ < 0) fail("fork");
        if (root_ == 0) {
            char byte = 0;
            if (::read(gate[0], &byte, 1) != 1) ::_exit(125);
            ::sigprocmask(SIG_UNBLOCK, &wanted, nullptr);
            ::execv(command[0], command);
            fail(command[0]);
        }
        if (::ptrace(PTRACE_SEIZE, root_, 0UL, kOptions) != 0) fail("PTRACE_SEIZE");
        threads_[root_] = {};
        if (::write(gate[1], "x", 1) != 1) fail("write");
        ::close(gate[0]);
        ::close(gate[1]);
    }

    void say(const std::string& line) {
        const std::string text = line + "\n";
        if (::write(report_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            fail("writing the report");
    }

    /// Every thread is stopped once, so that its next call is seen.
    void mark() {
        counting_ = true;
        for (auto& [tid, thread] : threads_)
            if (!thread.child && trace(PTRACE_INTERRUPT, tid) == 0) {
                thread.interrupted = true;
                ++unmarked_;
            }
        if (unmarked_ == 0) say("marked");
    }

    void no_longer_interrupted(Thread& thread) {
        if (!thread.interrupted) return;
        thread.interrupted = false;
        thread.resumes = true;
        if (--unmarked_ == 0) say("marked");
    }

    void finish() {
        say("counted " + std::to_string(count_));
        kill_all();
    }

    /// Children that are stopped go on when this program ends, so after the process is gone.
    void kill_all() {
        ::kill(root_, SIGKILL);
        for (int status = 0;;) {
            const pid_t tid = ::waitpid(-1, &status, __WALL);
            if (tid < 0 || (tid == root_ && !WIFSTOPPED(status))) break;
        }
        over_ = true;
    }

    void seen(pid_t tid, int status) {
        if (!WIFSTOPPED(status)) return ended(tid, status);
        const auto known = threads_.find(tid);
        Thread& thread = known != threads_.end() ? known->second : threads_[tid];
        if (known == threads_.end()) thread.child = process_of(tid) != root_;
        const int signal = WSTOPSIG(status);
        const int event = status >> 16;
        if (signal == kSystemCallStop) {
            system_call(tid, thread);
            if (!over_) go_on(tid);
            return;
        }
        no_longer_interrupted(thread);
        if (event == PTRACE_EVENT_EXEC && tid != root_) {
            threads_.erase(tid);
            (void)trace(PTRACE_DETACH, tid);
        } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
            (void)trace(PTRACE_LISTEN, tid);  // a stop by job control: it stays stopped
        } else {
            if (event == PTRACE_EVENT_EXEC && target_.from_exec) counting_ = true;
            go_on(tid, event == 0 ? signal : 0);
        }
    }

    void ended(pid_t tid, int status) {
        const auto known = threads_.find(tid);
        if (known != threads_.end()) {
            no_longer_interrupted(known->second);
            threads_.erase(known);
        }
        if (tid != root_) return;
        say("counted " + std::to_string(count_));
        exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        over_ = true;
    }

    void go_on(pid_t tid, int signal = 0) {
        (void)::ptrace(counting_ ? PTRACE_SYSCALL : PTRACE_CONT, tid, 0UL,
                       static_cast<unsigned long>(signal));
    }

    void system_call(pid_t tid, Thread& thread) {
        if (!counting_) return;
        __ptrace_syscall_info info{};
        if (trace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) <= 0) return;  // just killed
        // While the mark is being set nothing counts yet.
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !std::exchange(thread.resumes, false) && unmarked_ == 0) {
            thread.number = ++count_;
            names_[tid] = name_of(info.entry.nr) + (thread.child ? " (child)" : "");
        }
        const bool exit = info.op == PTRACE_SYSCALL_INFO_EXIT;
        if (target_.call != 0 && thread.number == target_.call && exit == target_.at_exit) {
            say("killed " + std::to_string(thread.number) + (exit ? " exit " : " entry ") + names_[tid]);
            kill_all();
        }
        if (exit) thread.number = 0;
    }

    Target target_;
    int report_;
    pid_t root_ = 0;
    std::map<pid_t, Thread> threads_;
    std::map<pid_t, std::string> names_;
    unsigned long count_ = 0;
    std::size_t unmarked_ = 0;
    bool counting_ = false;
    bool over_ = false;
    int exit_code_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs("usage: vigil_kill_at REPORT [+]CALL[:exit] PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    return Tracer(parse_target(argv[2]), argv[1]).run(argv + 3);
}
