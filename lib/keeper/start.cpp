#include "keeper/start.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <utility>

#include "linux/process/pidfd_calls.hpp"

namespace vigil::keeper {
namespace {

/// Clients that wait to be accepted: one daemon, and perhaps its successor.
constexpr int kBacklog = 64;

/// What the child does between clone and exec, and how it is to be. Made before; the first failure is kept.
class Preparation {
  public:
    Preparation() noexcept {
        note(::posix_spawn_file_actions_init(&actions));
        note(::posix_spawnattr_init(&attributes));
    }
    ~Preparation() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    Preparation(const Preparation&) = delete;
    Preparation& operator=(const Preparation&) = delete;

    void note(int result) noexcept {
        if (error == 0) error = result;
    }

    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    int error = 0;
};

void prepare(Preparation& ready, int listener) {
    // Before the standard streams are replaced, in case that the listener is one of them. Of one number to
    // the same, it takes the close-on-exec mark away (glibc 2.29).
    ready.note(::posix_spawn_file_actions_adddup2(&ready.actions, listener, kListenerFd));
    for (int stream = 0; stream < 3; ++stream)
        ready.note(::posix_spawn_file_actions_addopen(&ready.actions, stream, "/dev/null", O_RDWR, 0));
    ready.note(::posix_spawn_file_actions_addclosefrom_np(&ready.actions, kListenerFd + 1));
    ready.note(::posix_spawn_file_actions_addchdir_np(&ready.actions, "/"));
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ready.note(::posix_spawnattr_setsigdefault(&ready.attributes, &all));
    ready.note(::posix_spawnattr_setsigmask(&ready.attributes, &none));
    ready.note(::posix_spawnattr_setflags(
        &ready.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
}

}  // namespace

Result<Started> start(const os::InstanceLock& lock, const StartOptions& options) {
    auto listener = os::UnixListener::open(
        lock, {.path = options.socket, .mode = 0600, .backlog = kBacklog, .type = SOCK_SEQPACKET});
    if (!listener) return Failure{listener.error()};
    Preparation ready;
    prepare(ready, listener->fd());
    if (ready.error != 0) return Failure{Error{"preparing the start of the keeper", ready.error}};

    char name[] = "vigil-keeper";
    char* const arguments[] = {name, nullptr};
    char* const environment[] = {nullptr};
    Started started;
    const int error = ::posix_spawn(&started.pid, options.program.c_str(), &ready.actions, &ready.attributes,
                                    arguments, environment);
    if (error != 0) return Failure{Error{"starting the keeper, " + options.program, error}};
    // Our child, and nobody has reaped it: the number is still its own.
    started.pidfd.reset(os::pidfd_calls::open(started.pid));
    if (!started.pidfd) {
        const Error failure = errno_error("watching the keeper");
        ::kill(started.pid, SIGKILL);
        ::waitpid(started.pid, nullptr, 0);
        return Failure{failure};
    }
    [[maybe_unused]] const UniqueFd theirs = listener->leave();
    return started;
}

}  // namespace vigil::keeper
