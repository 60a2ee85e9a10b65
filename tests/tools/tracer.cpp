#include "tracer.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "stopped_call.hpp"
#include "system_call_names.hpp"

namespace vigil::tools {
namespace {

constexpr int kSystemCallStop = SIGTRAP | 0x80;
constexpr int kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;

// The address and the data are pointers to glibc, and numbers to most requests.
long trace(__ptrace_request request, pid_t tid, unsigned long address = 0, const void* argument = nullptr) {
    return ::ptrace(request, tid, address, argument);
}

/// What the kernel gives inside for a call that a stop has interrupted and that it makes again
/// (linux/errno.h).
constexpr long kRestart = 512;
constexpr long kRestartBlock = 516;

/// The process that a thread belongs to; 0 when it is gone.
pid_t process_of(pid_t thread) {
    std::ifstream status("/proc/" + std::to_string(thread) + "/status");
    for (std::string word; status >> word;)
        if (word == "Tgid:" && status >> word) return std::atoi(word.c_str());
    return 0;
}

}  // namespace

void fail(const char* what) {
    std::fprintf(stderr, "vigil's tracer: %s: %s\n", what, std::strerror(errno));
    std::exit(125);
}

Report::Report(const char* path) : fd_(::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail(path);
}

void Report::say(const std::string& line) const {
    const std::string text = line + "\n";
    if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        fail("writing the report");
}

int Tracer::run(char** command) {
    // Taken one after the other below, so that none slips in between a look and the wait.
    sigset_t wanted;
    ::sigemptyset(&wanted);
    for (const int number : {SIGCHLD, SIGUSR1, SIGUSR2}) ::sigaddset(&wanted, number);
    ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
    start(command, wanted);
    while (!over_) {
        const int number = ::sigwaitinfo(&wanted, nullptr);
        if (number == SIGUSR1) mark();
        if (number == SIGUSR2 && plan_.end()) kill_all();
        if (number == SIGUSR2) counting_ = false;
        int status = 0;
        for (pid_t tid = 0; !over_ && (tid = ::waitpid(-1, &status, __WALL | WNOHANG)) > 0;)
            seen(tid, status);
    }
    return exit_code_;
}

void Tracer::start(char** command, const sigset_t& wanted) {
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

/// Every thread is stopped once, so that its next call is seen.
void Tracer::mark() {
    plan_.begin();
    counting_ = true;
    for (auto& [tid, thread] : threads_)
        if (!thread.child && trace(PTRACE_INTERRUPT, tid) == 0) {
            thread.interrupted = true;
            ++unmarked_;
        }
    if (unmarked_ == 0) report_.say("marked");
}

/// Any stop takes the place of the one that was asked for (ptrace_stop() clears JOBCTL_TRAP_STOP), so each is
/// the mark. The call that was interrupted is made again, and was not made before.
void Tracer::no_longer_interrupted(Thread& thread, bool resumes) {
    if (!thread.interrupted) return;
    thread.interrupted = false;
    thread.resumes = resumes;
    if (--unmarked_ == 0) report_.say("marked");
}

/// Children that are stopped go on when this program ends, so after the process is gone.
void Tracer::kill_all() {
    ::kill(root_, SIGKILL);
    for (int status = 0;;) {
        const pid_t tid = ::waitpid(-1, &status, __WALL);
        if (tid < 0 || (tid == root_ && !WIFSTOPPED(status))) break;
    }
    over_ = true;
}

void Tracer::seen(pid_t tid, int status) {
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
    no_longer_interrupted(thread, true);
    if (event == PTRACE_EVENT_EXEC && tid != root_) {
        threads_.erase(tid);
        (void)trace(PTRACE_DETACH, tid);
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        (void)trace(PTRACE_LISTEN, tid);  // a stop by job control: it stays stopped
    } else {
        if (event == PTRACE_EVENT_EXEC && plan_.counts_from_exec() && count_ == 0) counting_ = true;
        go_on(tid, event == 0 ? signal : 0);
    }
}

void Tracer::ended(pid_t tid, int status) {
    const auto known = threads_.find(tid);
    if (known != threads_.end()) {
        no_longer_interrupted(known->second, false);
        threads_.erase(known);
    }
    if (tid != root_) return;
    (void)plan_.end();
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    over_ = true;
}

void Tracer::go_on(pid_t tid, int signal) const {
    // One that is in a call which fails has to be met at its exit, whether or not anything is counted by
    // then.
    const auto known = threads_.find(tid);
    const bool awaited = known != threads_.end() && known->second.error != 0;
    (void)::ptrace(counting_ || awaited ? PTRACE_SYSCALL : PTRACE_CONT, tid, 0UL,
                   static_cast<unsigned long>(signal));
}

void Tracer::system_call(pid_t tid, Thread& thread) {
    __ptrace_syscall_info info{};
    if (trace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) <= 0) return;  // just killed
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        no_longer_interrupted(thread, -info.exit.rval >= kRestart && -info.exit.rval <= kRestartBlock);
        return left(tid, thread);
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return;
    thread.call = {};
    // While the mark is being set nothing counts yet.
    const bool resumes = std::exchange(thread.resumes, false);
    const bool counts = counting_ && unmarked_ == 0 && !resumes;
    no_longer_interrupted(thread, false);
    if (counts) entered(tid, thread, info);
}

void Tracer::entered(pid_t tid, Thread& thread, const __ptrace_syscall_info& info) {
    thread.call = {
        .count = ++count_,
        .name = system_call_name(info.entry.nr),
        .of_child = thread.child,
        .tid = tid,
        .arguments = {static_cast<long>(info.entry.args[0]), static_cast<long>(info.entry.args[1])}};
    const Verdict verdict = plan_.at_entry(thread.call);
    if (verdict.kill) return kill_all();
    if (verdict.error != 0 && skip_call(tid)) thread.error = verdict.error;
}

void Tracer::left(pid_t tid, Thread& thread) {
    if (const int error = std::exchange(thread.error, 0); error != 0) (void)set_result(tid, -error);
    if (thread.call.count == 0) return;
    if (plan_.at_exit(thread.call).kill) return kill_all();
    thread.call = {};
}

}  // namespace vigil::tools
