// For nasty case 23: forks for ever, leaves its session at every fork and heeds no SIGTERM. Run it under a
// limit on processes.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main() {
    ::signal(SIGTERM, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
    for (;;) {
        if (::fork() == 0) ::setsid();
        ::usleep(5'000);
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }
}
