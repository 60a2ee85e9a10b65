// Running the programs that are measured, and what the kernel says about them.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vigil::bench {

using Argv = std::vector<std::string>;

/// Says what failed, with errno if there is one, ends the programs that were started here, and exits with 1.
[[noreturn]] void give_up(const std::string& what);

/// From now on SIGTERM makes the program give up. To be called before there are other threads.
void give_up_when_told();

/// The address of a Unix socket in the file system. Gives up where the path is too long.
class UnixAddress {
  public:
    explicit UnixAddress(const std::string& path);
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
    socklen_t size() const { return sizeof address_; }

  private:
    sockaddr_un address_{};
};

/// As many descriptors as the hard limit allows; gives that limit.
std::uint64_t raise_descriptor_limit();

struct Streams {
    int in = -1;   ///< -1: /dev/null
    int out = -1;  ///< for stdout and stderr; -1: /dev/null
};

/// Starts a program with nothing else open, in a session of its own, with `variables` (NAME=VALUE) beside
/// this environment.
pid_t start_program(const Argv& argv, Streams streams = {}, const std::vector<std::string>& variables = {});

/// Waits for a program; gives its exit code, 128 + signal for one that was killed.
int wait_for(pid_t pid);

/// Starts a program and waits for it, what it prints going nowhere.
int run(const Argv& argv, const std::vector<std::string>& variables = {});

/// Kills a program by SIGKILL and waits for it; nothing for 0.
void put_an_end_to(pid_t& pid);

/// Whether the program is there; a zombie is not.
bool alive(pid_t pid);

/// Asks every 2 ms until it is true; gives up after `limit_ms`.
void eventually(const std::function<bool()>& condition, const std::string& what,
                std::int64_t limit_ms = 60'000);

std::string text_of(const std::string& path);
void write_text(const std::string& path, const std::string& text, mode_t mode = 0644);

/// Calls `use` with the directory in /proc of each thread of a process.
void each_thread(pid_t pid, const std::function<void(const std::string&)>& use);

/// Direct children of a process.
std::vector<pid_t> children_of(pid_t pid);
std::string command_of(pid_t pid);

/// Memory of these processes: the sum of what they have alone and their share of what they have with others.
double pss_kib(const std::vector<pid_t>& processes);

/// How often threads of these processes went to sleep (and so were woken up) or were put aside, since they
/// began.
std::uint64_t switches(const std::vector<pid_t>& processes);

/// Time on a processor since they began, all threads.
double cpu_seconds(const std::vector<pid_t>& processes);

}  // namespace vigil::bench
