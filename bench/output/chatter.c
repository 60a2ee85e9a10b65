// A task that prints numbered lines at a steady rate and beats: chatter LINES-PER-SECOND SECONDS. When the
// time is over it beats on and prints nothing. Each line ends with its own length, so that a line that was
// cut or mixed is noticed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void beat(void) {
    static int fd = -1;
    const char* path = getenv("NOTIFY_SOCKET");
    if (path == NULL) return;
    if (fd < 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        strncpy(address.sun_path, path, sizeof address.sun_path - 1);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) exit(3);
        if (send(fd, "READY=1\nWATCHDOG=1", 18, 0) < 0) exit(3);
    }
    if (send(fd, "WATCHDOG=1", 10, 0) < 0) exit(4);
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const long rate = atol(argv[1]);
    const long total = rate * atol(argv[2]);
    struct timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    static char text[65536];
    long done = 0;
    for (long tick = 0;; ++tick) {
        if (tick % 20 == 0) beat();
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        const double passed =
            (double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9;
        long due = (long)(passed * (double)rate);
        if (due > total) due = total;
        while (done < due) {
            size_t size = 0;
            for (; done < due && size < sizeof text - 256; ++done) {
                char line[200];
                int length = snprintf(line, sizeof line, "line %ld %.*s", done, (int)(done * 7 % 90),
                                      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                      "xxxxxxxxxxxxxxxxxxxx");
                size += (size_t)sprintf(text + size, "%s %d\n", line, length);
            }
            for (size_t at = 0; at < size;) {
                const ssize_t written = write(1, text + at, size - at);
                if (written < 0) return 5;
                at += (size_t)written;
            }
        }
        const struct timespec pause = {0, 25 * 1000 * 1000};
        nanosleep(&pause, NULL);
    }
}
