#include "rig/programs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "rig/clock.hpp"

namespace vigil::bench {
namespace {

std::set<pid_t>& started() {
    static std::set<pid_t> pids;
    return pids;
}

double number_behind(const std::string& text, const std::string& key) {
    const auto at = text.find(key);
    return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + key.size(), nullptr);
}

}  // namespace

void each_thread(pid_t pid, const std::function<void(const std::string&)>& use) {
    const std::string place = "/proc/" + std::to_string(pid) + "/task";
    DIR* directory = ::opendir(place.c_str());
    if (directory == nullptr) return;
    while (const dirent* entry = ::readdir(directory))
        if (entry->d_name[0] != '.') use(place + "/" + entry->d_name);
    ::closedir(directory);
}

void give_up(const std::string& what) {
    const int error = errno;
    std::fprintf(stderr, "%s: %s%s%s\n", program_invocation_short_name, what.c_str(), error ? ": " : "",
                 error ? std::strerror(error) : "");
    for (const pid_t pid : started()) ::kill(pid, SIGTERM);
    // They have to stop their tasks; what they leave is not waited for for ever.
    for (const std::int64_t until = now_ns() + 10'000'000'000; now_ns() < until; rest(10'000'000))
        if (std::none_of(started().begin(), started().end(), alive)) break;
    for (const pid_t pid : started()) ::kill(pid, SIGKILL);
    std::exit(1);
}

void give_up_when_told() {
    sigset_t told;
    sigemptyset(&told);
    sigaddset(&told, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &told, nullptr);
    std::thread([told] {
        int signal = 0;
        sigwait(&told, &signal);
        errno = 0;
        give_up("told to end");
    }).detach();
}

UnixAddress::UnixAddress(const std::string& path) {
    address_.sun_family = AF_UNIX;
    if (path.size() >= sizeof address_.sun_path) {
        errno = 0;
        give_up("this path is too long for a socket: " + path);
    }
    std::memcpy(address_.sun_path, path.c_str(), path.size() + 1);
}

std::uint64_t raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max;
}

void rest(std::int64_t ns) {
    const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
    ::nanosleep(&time, nullptr);
}

pid_t start_program(const Argv& argv, Streams streams, const std::vector<std::string>& variables) {
    const pid_t pid = ::fork();
    if (pid < 0) give_up("fork");
    if (pid == 0) {
        const int null = ::open("/dev/null", O_RDWR);
        ::setsid();
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        // In this order, since either may be any number.
        const int in = ::fcntl(streams.in < 0 ? null : streams.in, F_DUPFD, 10);
        const int out = ::fcntl(streams.out < 0 ? null : streams.out, F_DUPFD, 10);
        ::dup2(in, 0);
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::close_range(3, ~0U, 0);
        for (const std::string& variable : variables) ::putenv(const_cast<char*>(variable.c_str()));
        std::vector<char*> words;
        for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
        words.push_back(nullptr);
        ::execvp(words[0], words.data());
        ::_exit(127);
    }
    started().insert(pid);
    return pid;
}

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    started().erase(pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run(const Argv& argv, const std::vector<std::string>& variables) {
    return wait_for(start_program(argv, {}, variables));
}

void put_an_end_to(pid_t& pid) {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    wait_for(pid);
    pid = 0;
}

bool alive(pid_t pid) {
    if (::kill(pid, 0) != 0) return false;
    const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
    const auto name = stat.rfind(") ");
    return name != std::string::npos && stat[name + 2] != 'Z';
}

void eventually(const std::function<bool()>& condition, const std::string& what, std::int64_t limit_ms) {
    const std::int64_t until = now_ns() + limit_ms * 1'000'000;
    while (!condition()) {
        if (now_ns() > until) {
            errno = 0;
            give_up("not within " + std::to_string(limit_ms) + " ms: " + what);
        }
        rest(2'000'000);
    }
}

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

void write_text(const std::string& path, const std::string& text, mode_t mode) {
    std::ofstream file(path);
    file << text;
    file.close();
    if (!file || ::chmod(path.c_str(), mode) != 0) give_up("write " + path);
}

std::vector<pid_t> children_of(pid_t pid) {
    std::vector<pid_t> found;
    each_thread(pid, [&](const std::string& thread) {
        std::istringstream text(text_of(thread + "/children"));
        for (pid_t child = 0; text >> child;) found.push_back(child);
    });
    return found;
}

std::string command_of(pid_t pid) {
    std::string text = text_of("/proc/" + std::to_string(pid) + "/comm");
    if (!text.empty()) text.pop_back();
    return text;
}

double pss_kib(const std::vector<pid_t>& processes) {
    double sum = 0;
    for (const pid_t pid : processes)
        sum += number_behind(text_of("/proc/" + std::to_string(pid) + "/smaps_rollup"), "\nPss:");
    return sum;
}

std::uint64_t switches(const std::vector<pid_t>& processes) {
    double sum = 0;
    for (const pid_t pid : processes)
        each_thread(pid, [&](const std::string& thread) {
            const std::string text = text_of(thread + "/status");
            sum += number_behind(text, "\nvoluntary_ctxt_switches:") +
                   number_behind(text, "\nnonvoluntary_ctxt_switches:");
        });
    return static_cast<std::uint64_t>(sum);
}

double cpu_seconds(const std::vector<pid_t>& processes) {
    double sum = 0;
    for (const pid_t pid : processes)
        each_thread(pid, [&](const std::string& thread) {
            // Nanoseconds on a processor; utime and stime are counted in ticks.
            sum += std::strtod(text_of(thread + "/schedstat").c_str(), nullptr) / 1e9;
        });
    return sum;
}

}  // namespace vigil::bench
