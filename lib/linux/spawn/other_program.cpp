#include "linux/spawn/other_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "linux/process/process.hpp"

extern "C" char** environ;

namespace vigil::os {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kEndLimit = 1000;  // milliseconds
constexpr std::size_t kMostSaid = std::size_t{64} << 10;

std::vector<char*> pointers(const std::vector<std::string>& arguments) {
    std::vector<char*> all;
    all.reserve(arguments.size() + 1);
    for (const std::string& one : arguments) all.push_back(const_cast<char*>(one.c_str()));
    all.push_back(nullptr);
    return all;
}

/// What the child does between clone and exec. The first failure is kept.
class Preparation {
  public:
    Preparation(int given, int output, int errors) noexcept {
        note(::posix_spawn_file_actions_init(&actions));
        note(::posix_spawnattr_init(&attributes));
        note(::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0));
        note(::posix_spawn_file_actions_adddup2(&actions, output, 1));
        note(::posix_spawn_file_actions_adddup2(&actions, errors, 2));
        note(::posix_spawn_file_actions_adddup2(&actions, given, kGivenDescriptor));
        note(::posix_spawn_file_actions_addclosefrom_np(&actions, kGivenDescriptor + 1));
        sigset_t all;
        sigset_t none;
        ::sigfillset(&all);
        ::sigemptyset(&none);
        note(::posix_spawnattr_setsigdefault(&attributes, &all));
        note(::posix_spawnattr_setsigmask(&attributes, &none));
        note(::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
    }
    ~Preparation() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    Preparation(const Preparation&) = delete;
    Preparation& operator=(const Preparation&) = delete;

    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    int error = 0;

  private:
    void note(int result) noexcept {
        if (error == 0) error = result;
    }
};

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Failure{errno_error("making a pipe")};
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// Until both are at their end. False: the time is up.
bool read_both(std::array<UniqueFd, 2>& pipes, std::array<std::string*, 2> texts, Clock::time_point until) {
    std::array<char, 4096> bytes;
    while (pipes[0] || pipes[1]) {
        const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
        if (left.count() <= 0) return false;
        std::array<pollfd, 2> wanted{{{pipes[0].get(), POLLIN, 0}, {pipes[1].get(), POLLIN, 0}}};
        if (::poll(wanted.data(), wanted.size(), static_cast<int>(left.count())) <= 0) continue;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (wanted[i].revents == 0) continue;
            const ssize_t size = ::read(pipes[i].get(), bytes.data(), bytes.size());
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) {
                pipes[i].reset();
                continue;
            }
            const std::size_t room = kMostSaid - texts[i]->size();
            texts[i]->append(bytes.data(), std::min(room, static_cast<std::size_t>(size)));
        }
    }
    return true;
}

}  // namespace

Result<ProgramAnswer> ask_program(const std::string& path, const std::vector<std::string>& arguments,
                                  int given, milliseconds limit) {
    auto output = make_pipe();
    auto errors = make_pipe();
    if (!output || !errors) return Failure{output ? errors.error() : output.error()};
    const Preparation ready(given, output->write.get(), errors->write.get());
    if (ready.error != 0) return Failure{Error{"preparing to run " + path, ready.error}};
    pid_t pid = 0;
    const int error = ::posix_spawn(&pid, path.c_str(), &ready.actions, &ready.attributes,
                                    pointers(arguments).data(), environ);
    if (error != 0) return Failure{Error{"running " + path, error}};
    // Whoever reaps all children may have reaped it already; then there is nothing to kill either.
    const auto pidfd = open_pidfd(pid);
    output->write.reset();
    errors->write.reset();
    ProgramAnswer answer;
    std::array<UniqueFd, 2> pipes{std::move(output->read), std::move(errors->read)};
    answer.in_time = read_both(pipes, {&answer.output, &answer.errors}, Clock::now() + limit);
    if (!pidfd) return answer;
    // It has closed its outputs and ends, or is made to.
    pollfd ended{.fd = pidfd->get(), .events = POLLIN, .revents = 0};
    if (!answer.in_time || ::poll(&ended, 1, kEndLimit) != 1) (void)signal_process(pidfd->get(), SIGKILL);
    (void)::poll(&ended, 1, kEndLimit);
    siginfo_t info{};
    (void)::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd->get()), &info, WEXITED | WNOHANG);
    return answer;
}

Result<UniqueFd> sealed_memory(const char* name, std::string_view content) {
    UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) return Failure{errno_error("making a file in memory")};
    for (std::string_view rest = content; !rest.empty();) {
        const ssize_t size = ::write(fd.get(), rest.data(), rest.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return Failure{errno_error("writing a file in memory")};
        rest.remove_prefix(static_cast<std::size_t>(size));
    }
    if (::lseek(fd.get(), 0, SEEK_SET) != 0 ||
        ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
        return Failure{errno_error("sealing a file in memory")};
    return fd;
}

Result<std::string> read_all_of(int fd, std::size_t most) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return Failure{errno_error("looking at what is handed over")};
    if (!S_ISREG(status.st_mode)) return Failure{Error{"what is handed over is no file", EINVAL}};
    if (status.st_size < 0 || static_cast<std::uint64_t>(status.st_size) > most)
        return Failure{Error{"reading what is handed over", EFBIG}};
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    for (std::size_t at = 0; at < text.size();) {
        const ssize_t size = ::pread(fd, text.data() + at, text.size() - at, static_cast<off_t>(at));
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return Failure{errno_error("reading what is handed over")};
        if (size == 0) text.resize(at);
        at += static_cast<std::size_t>(size);
    }
    return text;
}

Error go_on_as(const std::string& path, const std::vector<std::string>& arguments,
               std::span<const int> kept) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    for (const int fd : kept) ::fcntl(fd, F_SETFD, 0);
    ::execv(path.c_str(), pointers(arguments).data());
    const Error failure = errno_error("going on as " + path);
    for (const int fd : kept) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return failure;
}

Result<UniqueFd> take_inherited(int fd) {
    if (fd < 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return Failure{Error{"descriptor " + std::to_string(fd) + " that was handed over", EBADF}};
    return UniqueFd(fd);
}

}  // namespace vigil::os
