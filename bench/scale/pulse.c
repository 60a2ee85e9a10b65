// A task of the measurement of scale: pulse TELL. Beats once a second, at a moment of the second that is its
// own. On SIGUSR1 it beats a last time, sends "<pid> <nanoseconds>" (the monotonic clock, read before that
// beat) to the datagram socket TELL, and is silent from then on.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t silenced;

static void silence(int signal) {
    (void)signal;
    silenced = 1;
}

static int connected(const char* path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr*)&address, sizeof address) != 0) exit(71);
    return fd;
}

int main(int argc, char** argv) {
    const char* notify = getenv("NOTIFY_SOCKET");
    if (argc != 2 || notify == NULL) return 64;
    const struct sigaction action = {.sa_handler = silence};
    sigaction(SIGUSR1, &action, NULL);
    const int daemon = connected(notify);
    unsigned phase = (unsigned)getpid() * 2654435761u % 1000u;
    for (;;) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (send(daemon, "WATCHDOG=1", 10, 0) != 10) return 74;
        if (silenced) {
            char text[64];
            const int size =
                snprintf(text, sizeof text, "%d %lld", getpid(), now.tv_sec * 1000000000LL + now.tv_nsec);
            if (send(connected(argv[1]), text, (size_t)size, 0) != size) return 74;
            for (;;) pause();
        }
        struct timespec next = {now.tv_sec + 1, (long)phase * 1000000};
        // A signal that comes between the look and the sleep is seen a second later.
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
}
