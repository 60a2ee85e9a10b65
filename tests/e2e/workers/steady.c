// A task that says what befalls it: steady LINES-PER-SECOND TELL. Prints "line 0", "line 1", ..., beats twice
// a second where it has a NOTIFY_SOCKET, and appends to the file TELL what a write or a beat failed with. On
// SIGTERM and SIGUSR1 it ends with its last words, "last N": the number of lines before. `steady 0 TELL` does
// nothing of all that and sleeps.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked_to_end;
static const char* tell_path;

static void ask_to_end(int signal) {
    (void)signal;
    asked_to_end = 1;
}

static void tell(const char* what) {
    char text[200];
    const int size = snprintf(text, sizeof text, "%s: %s\n", what, strerror(errno));
    const int file = open(tell_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, text, (size_t)size) != size) abort();
    close(file);
}

static void print(const char* word, long number) {
    char line[64];
    const int size = snprintf(line, sizeof line, "%s %ld\n", word, number);
    for (int at = 0; at < size;) {
        const ssize_t written = write(1, line + at, (size_t)(size - at));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            tell("write");
            return;
        }
        at += (int)written;
    }
}

static void say(const char* message) {
    static int fd = -1;
    const char* path = getenv("NOTIFY_SOCKET");
    if (path == NULL) return;
    if (fd < 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        strncpy(address.sun_path, path, sizeof address.sun_path - 1);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) tell("connect");
    }
    // A queue that is full while nobody reads loses a beat among others that wait; anything else is a fault.
    if (send(fd, message, strlen(message), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN) tell("send");
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const double rate = atof(argv[1]);
    tell_path = argv[2];
    if (rate <= 0)
        for (;;) pause();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, ask_to_end);
    signal(SIGUSR1, ask_to_end);
    say("READY=1\nWATCHDOG=1");
    const double begin = now();
    double beat_due = begin;
    long done = 0;
    while (!asked_to_end) {
        const double passed = now() - begin;
        // After a stop of the whole machine it goes on where it was, not with everything at once.
        for (long burst = 0; burst < 100 && (double)done < passed * rate; ++burst) print("line", done++);
        if (begin + passed >= beat_due) {
            say("WATCHDOG=1");
            beat_due = begin + passed + 0.5;
        }
        // Thousands of them are to leave the machine to others: not awake for longer than there is something
        // to do.
        double next = begin + (double)done / rate;
        if (next > beat_due) next = beat_due;
        const double wait = next - now();
        const struct timespec pause = {0, (long)((wait < 0.001 ? 0.001 : wait) * 1e9)};
        nanosleep(&pause, NULL);
    }
    print("last", done);
    return 0;
}
