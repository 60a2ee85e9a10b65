// vigil-keeper: puts its process in order and keeps.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "keeper/keeper.hpp"
#include "keeper/start.hpp"
#include "version.hpp"

namespace {

constexpr int kUsage = 64;  // EX_USAGE of sysexits.h(3head)

constexpr const char* kHelp =
    "vigil-keeper holds the pipes and sockets of vigil's tasks while no vigild lives, so that\n"
    "a task loses no line and no message when the daemon crashes or is replaced.\n"
    "\n"
    "It is started by vigild, with a listening socket at descriptor 3, and is of no use by hand.\n"
    "A clean shutdown of vigild ends it; so does SIGKILL, after which vigild starts another one.\n"
    "\n"
    "  --help     this text\n"
    "  --version  the version\n";

bool has_option(int fd, int option, int wanted) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

bool is_listener(int fd) {
    return has_option(fd, SO_DOMAIN, AF_UNIX) && has_option(fd, SO_TYPE, SOCK_SEQPACKET) &&
           has_option(fd, SO_ACCEPTCONN, 1);
}

int answer_words(const char* word) {
    if (std::strcmp(word, "--version") == 0) return std::printf("vigil-keeper %s\n", vigil::kVersion) < 0;
    if (std::strcmp(word, "--help") == 0) return std::fputs(kHelp, stdout) < 0;
    std::fprintf(stderr, "vigil-keeper: unknown option %s; see vigil-keeper --help\n", word);
    return kUsage;
}

/// A service manager or a terminal that ends whatever it finds is not to end what outlives the daemon.
void ignore_requests_to_end() {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
}

/// Among the last to go when memory is short. Refused where the daemon may not do so either.
void spare_from_oom() {
    const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    [[maybe_unused]] const ssize_t ignored = ::write(file, "-900", 4);
    ::close(file);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) return answer_words(argv[1]);
    if (!is_listener(vigil::keeper::kListenerFd)) {
        std::fputs(
            "vigil-keeper: descriptor 3 is not a listening socket: it is started by vigild, not by hand; "
            "see vigil-keeper --help\n",
            stderr);
        return kUsage;
    }
    ignore_requests_to_end();
    ::prctl(PR_SET_NAME, "vigil-keeper");
    spare_from_oom();
    auto keeper = vigil::keeper::Keeper::create(vigil::UniqueFd(vigil::keeper::kListenerFd));
    return keeper && keeper->run() ? 0 : 1;
}
