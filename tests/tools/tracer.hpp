// Runs a program under ptrace(2) and shows each system call of it to a Plan, which says what becomes of it.
//
// Shown are those of all its threads and of its children until their exec (a spawn is the daemon's work until
// then), while the plan counts: from SIGUSR1 to the tracer on, or from the program's exec on.
#pragma once

#include <sys/ptrace.h>
#include <sys/types.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <map>
#include <string>

namespace vigil::tools {

/// Says what failed and errno, and exits with 125.
[[noreturn]] void fail(const char* what);

struct Call {
    unsigned long count = 0;  ///< the how manieth that was shown, from 1 on
    std::string name;
    bool of_child = false;
    pid_t tid = 0;
    std::array<long, 2> arguments{};  ///< the first two
};

struct Verdict {
    bool kill = false;  ///< the whole process, by SIGKILL; its children live on
    int error = 0;      ///< at an entry: the call is not made, and gives this errno
};

class Plan {
  public:
    virtual ~Plan() = default;
    [[nodiscard]] virtual bool counts_from_exec() const { return false; }
    /// SIGUSR1 came, and every thread is stopped or about to be: what is shown from now on counts.
    virtual void begin() {}
    virtual Verdict at_entry(const Call& call) = 0;
    virtual Verdict at_exit(const Call&) { return {}; }
    /// SIGUSR2 came; true: the process is killed where it stands.
    virtual bool end() = 0;
};

/// A file to which each step is a line.
class Report {
  public:
    explicit Report(const char* path);
    void say(const std::string& line) const;

  private:
    int fd_;
};

class Tracer {
  public:
    Tracer(Plan& plan, const Report& report) : plan_(plan), report_(report) {}

    /// The exit code: of the program, 128 and its signal, or 0 where the plan had it killed.
    int run(char** command);
    [[nodiscard]] unsigned long count() const noexcept { return count_; }

  private:
    struct Thread {
        bool child = false;        ///< of a process that was spawned and is before its exec
        bool interrupted = false;  ///< is to stop for the mark
        bool resumes = false;      ///< its next call is the one that the mark interrupted
        Call call{};               ///< the one it is in; count 0 for one that was not shown
        int error = 0;             ///< that this one gives
    };

    void start(char** command, const sigset_t& wanted);
    void mark();
    void no_longer_interrupted(Thread& thread, bool resumes);
    void kill_all();
    void seen(pid_t tid, int status);
    void ended(pid_t tid, int status);
    void go_on(pid_t tid, int signal = 0) const;
    void system_call(pid_t tid, Thread& thread);
    void entered(pid_t tid, Thread& thread, const __ptrace_syscall_info& info);
    void left(pid_t tid, Thread& thread);

    Plan& plan_;
    const Report& report_;
    pid_t root_ = 0;
    std::map<pid_t, Thread> threads_;
    unsigned long count_ = 0;
    std::size_t unmarked_ = 0;
    bool counting_ = false;
    bool over_ = false;
    int exit_code_ = 0;
};

}  // namespace vigil::tools
