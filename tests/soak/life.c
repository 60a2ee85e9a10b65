// A task whose life is drawn by lot: life SEED LEDGERS MEAN-MS. The lot of each run follows from SEED,
// VIGIL_TASK and VIGIL_GENERATION alone. It beats or falls silent, is ready late or never, prints numbered
// lines and now and then a flood, leaves children that do not want to go, ends by an exit code or a signal,
// and may be deaf to SIGTERM.
//
// What it does stands in LEDGERS/NAME, a line each by one write: "GENERATION PID WHAT ...", times in ns of
// CLOCK_MONOTONIC:
//   start T INVOCATION LOT     what is said first
//   double PID                 another main process of this task lives
//   strays                     of an earlier run something lives
//   hang T | ready T           it will never be ready; READY=1 was sent
//   silent T                   beats no more
//   aborted T B1 E1 B2 E2      got SIGABRT; the last two beats were sent between B and E each
//   end T LINES REASON         ends by itself: "exit 3", "signal 11", "stop" after a SIGTERM
//
// Where LEDGERS/calm exists it goes on for good: no new mischief, nobody ends.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { kMaxChildren = 3 };

typedef enum { kStays, kExits, kDies, kFallsSilent, kTriggers, kHangs } Way;
static const char* const kWays[] = {"stays", "exits", "dies", "falls-silent", "triggers", "hangs"};

typedef struct {
    Way way;
    int with;            // exit code or signal
    int64_t span;        // ns until it comes to that
    int64_t ready_in;    // ns until READY=1
    int64_t stop_takes;  // ns from SIGTERM to the end
    bool deaf;           // to SIGTERM
    bool deaf_to_abort;
    int children;
    long flood;  // bytes, printed at half time
} Lot;

typedef struct {
    int64_t begin, end;
} Beat;

static const char *name, *generation, *ledgers;
static int ledger = -1;
static int heartbeat_pipe = -1;
static int notify_socket = -1;
static uint64_t lots;
static long lines;
static Beat beats[2];

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// splitmix64.
static uint64_t draw(void) {
    uint64_t z = (lots += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static bool chance(unsigned percent) {
    return draw() % 100 < percent;
}

static int64_t between_ms(int64_t least, int64_t most) {
    return (least + (int64_t)(draw() % (uint64_t)(most - least + 1))) * 1000000;
}

static void mix_in(const char* text) {
    for (; *text != '\0'; ++text) lots = (lots ^ (unsigned char)*text) * 0x100000001b3;
    draw();
}

__attribute__((format(printf, 1, 2))) static void note(const char* format, ...) {
    char line[300];
    int size = snprintf(line, sizeof line, "%s %d ", generation, (int)getpid());
    va_list arguments;
    va_start(arguments, format);
    size += vsnprintf(line + size, sizeof line - (size_t)size - 1, format, arguments);
    va_end(arguments);
    line[size++] = '\n';
    if (write(ledger, line, (size_t)size) != size) abort();
}

static int open_beside(const char* suffix, int flags) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s%s", ledgers, name, suffix);
    const int file = open(path, flags | O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) abort();
    return file;
}

// Two locks tell who else lives: one that a process holds for itself, and one that children have a share in.
static void look_for_others(void) {
    struct flock main_lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int main_file = open_beside(".main", 0);
    if (fcntl(main_file, F_SETLK, &main_lock) != 0) {
        fcntl(main_file, F_GETLK, &main_lock);
        note("double %d", (int)main_lock.l_pid);
    }
    const int tree_file = open_beside(".tree", 0);
    // A process on its way out has lost its environment before it lets go of its files.
    for (int tries = 0; flock(tree_file, LOCK_EX | LOCK_NB) != 0; ++tries) {
        if (tries == 100) {
            note("strays");
            return;
        }
        usleep(1000);
    }
}

static void draw_lot(Lot* lot, int64_t mean, bool speaks, bool beats_asked) {
    const uint64_t kind = draw() % 100;
    lot->way = kind < 30   ? kExits
               : kind < 50 ? kDies
               : kind < 62 ? kFallsSilent
               : kind < 65 ? kTriggers
               : kind < 69 ? kHangs
                           : kStays;
    if (!speaks && lot->way == kHangs) lot->way = kExits;
    if (!beats_asked && (lot->way == kFallsSilent || lot->way == kTriggers)) lot->way = kDies;
    static const int kSignals[] = {SIGKILL, SIGSEGV, SIGBUS, SIGTERM, SIGABRT};
    lot->with = lot->way == kDies ? kSignals[draw() % 5] : chance(50) ? 0 : (int)(draw() % 256);
    // One in six ends as soon as it runs.
    lot->span = chance(16) ? 0 : between_ms(1, 2 * mean);
    lot->ready_in = chance(20) ? between_ms(1, 1500) : 0;
    lot->stop_takes = chance(30) ? between_ms(1, 500) : 0;
    lot->deaf = chance(8);
    lot->deaf_to_abort = chance(30);
    lot->children = chance(25) ? 1 + (int)(draw() % kMaxChildren) : 0;
    lot->flood = chance(5) ? (long)(draw() % 256 + 1) * 1024 : 0;
}

static void linger(bool deaf) {
    sigset_t none;
    sigemptyset(&none);
    if (deaf) signal(SIGTERM, SIG_IGN);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (;;) pause();
}

// Some stay in the group, some leave it, some have no parent of their own any more.
static void have_child(void) {
    const uint64_t kind = draw() % 3;
    const bool deaf = chance(30);
    const pid_t child = fork();
    if (child != 0) return;
    if (kind >= 1) setsid();
    if (kind == 2 && fork() != 0) _exit(0);
    linger(deaf);
}

static void open_ways_to_speak(void) {
    const char* pipe_number = getenv("VIGIL_HEARTBEAT_FD");
    const char* path = getenv("NOTIFY_SOCKET");
    if (pipe_number != NULL) {
        heartbeat_pipe = atoi(pipe_number);
        fcntl(heartbeat_pipe, F_SETFD, FD_CLOEXEC);
    } else if (path != NULL) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        strncpy(address.sun_path, path, sizeof address.sun_path - 1);
        notify_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (connect(notify_socket, (struct sockaddr*)&address, sizeof address) != 0)
            note("fault connect %d", errno);
    }
}

static void say(const char* message) {
    const size_t size = strlen(message);
    // Where the queue is full what is in it counts as much as this.
    if (heartbeat_pipe >= 0) {
        if (write(heartbeat_pipe, message, size) != (ssize_t)size) note("fault pipe %d", errno);
    } else if (notify_socket >= 0) {
        if (send(notify_socket, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
            note("fault send %d", errno);
    }
}

static void beat(void) {
    beats[0] = beats[1];
    beats[1].begin = now();
    say("WATCHDOG=1\n");
    beats[1].end = now();
}

static void print(const char* text, size_t size) {
    while (size > 0) {
        const ssize_t written = write(1, text, size);
        if (written < 0) {
            note("fault write %d", errno);
            return;
        }
        text += written;
        size -= (size_t)written;
    }
}

static void print_line(void) {
    char line[100];
    print(line, (size_t)snprintf(line, sizeof line, "%s %d %ld\n", generation, (int)getpid(), lines++));
}

static void print_flood(long bytes) {
    static char filling[1024];
    memset(filling, '.', sizeof filling);
    filling[sizeof filling - 1] = '\n';
    for (; bytes > 0; bytes -= (long)sizeof filling) print(filling, sizeof filling);
}

static void die_by(int number) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
}

static void end(const Lot* lot) {
    if (lot->way == kDies) {
        note("end %lld %ld signal %d", (long long)now(), lines, lot->with);
        die_by(lot->with);
    }
    note("end %lld %ld exit %d", (long long)now(), lines, lot->with);
    _exit(lot->with);
}

static void obey(int number, const Lot* lot) {
    if (number == SIGABRT) {
        note("aborted %lld %lld %lld %lld %lld", (long long)now(), (long long)beats[0].begin,
             (long long)beats[0].end, (long long)beats[1].begin, (long long)beats[1].end);
        if (!lot->deaf_to_abort) die_by(SIGABRT);
    } else if (number == SIGTERM && !lot->deaf) {
        usleep((useconds_t)(lot->stop_takes / 1000));
        note("end %lld %ld stop", (long long)now(), lines);
        _exit(0);
    }
}

static bool is_calm(void) {
    char path[400];
    snprintf(path, sizeof path, "%s/calm", ledgers);
    return access(path, F_OK) == 0;
}

// Where it comes to what the lot says. Gives whether it beats from here on.
static bool come_to_it(Lot* lot) {
    switch (lot->way) {
        case kFallsSilent: note("silent %lld", (long long)now()); return false;
        case kTriggers:
            note("silent %lld", (long long)now());
            say("WATCHDOG=trigger\n");
            return false;
        case kExits:
        case kDies: end(lot); return false;
        case kStays:
        case kHangs: return true;
    }
    return true;
}

static const sigset_t* heard_signals(void) {
    static sigset_t heard;
    sigemptyset(&heard);
    sigaddset(&heard, SIGTERM);
    sigaddset(&heard, SIGABRT);
    return &heard;
}

static void live(Lot* lot, int64_t beat_every) {
    const sigset_t* heard = heard_signals();
    const int64_t begin = now();
    bool calm = is_calm(), ready = false, came = false, beating = beat_every > 0 && lot->way != kHangs;
    if (calm) beating = beat_every > 0, lot->way = kStays;
    if (lot->way == kHangs) note("hang %lld", (long long)begin);
    int64_t beat_due = begin + lot->ready_in, line_due = begin, look_due = begin;
    for (;;) {
        const int64_t time = now();
        if (time >= look_due) {
            look_due = time + 500000000;
            calm = calm || is_calm();
            if (calm) lot->span = INT64_MAX - begin;
        }
        if (!ready && lot->way != kHangs && time >= begin + lot->ready_in) {
            ready = true;
            note("ready %lld", (long long)time);
            say("READY=1\n");
        }
        if (beating && time >= beat_due) {
            beat();
            beat_due = time + beat_every;
        }
        if (time >= line_due) {
            print_line();
            line_due = time + 1000000000;
        }
        if (lot->flood > 0 && time >= begin + lot->span / 2) {
            print_flood(lot->flood);
            lot->flood = 0;
        }
        if (!came && ready && time >= begin + lot->span) {
            came = true;
            beating = come_to_it(lot) && beating;
        }
        int64_t next = line_due < look_due ? line_due : look_due;
        if (beating && beat_due < next) next = beat_due;
        if (!ready && lot->way != kHangs && begin + lot->ready_in < next) next = begin + lot->ready_in;
        if (!came && ready && begin + lot->span < next) next = begin + lot->span;
        int64_t wait = next - now();
        if (wait < 1000000) wait = 1000000;
        const struct timespec limit = {wait / 1000000000, wait % 1000000000};
        const int number = sigtimedwait(heard, NULL, &limit);
        if (number > 0) obey(number, lot);
    }
}

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    name = getenv("VIGIL_TASK");
    generation = getenv("VIGIL_GENERATION");
    ledgers = argv[2];
    const char* invocation = getenv("VIGIL_INVOCATION");
    if (name == NULL || generation == NULL || invocation == NULL) return 2;
    // Heard in live(), one at a time; one that comes before that waits.
    sigprocmask(SIG_BLOCK, heard_signals(), NULL);
    static const int kIgnored[] = {SIGPIPE, SIGCHLD, SIGHUP, SIGUSR1};
    for (size_t at = 0; at < sizeof kIgnored / sizeof *kIgnored; ++at) signal(kIgnored[at], SIG_IGN);
    ledger = open_beside("", O_APPEND);

    lots = strtoull(argv[1], NULL, 10);
    mix_in(name);
    mix_in(generation);
    const char* watchdog = getenv("WATCHDOG_USEC");
    const bool speaks = getenv("NOTIFY_SOCKET") != NULL || getenv("VIGIL_HEARTBEAT_FD") != NULL;
    Lot lot = {0};
    draw_lot(&lot, atoll(argv[3]), speaks, watchdog != NULL);
    note("start %lld %s %s", (long long)now(), invocation, kWays[lot.way]);
    look_for_others();
    open_ways_to_speak();
    for (int child = 0; child < lot.children; ++child) have_child();
    live(&lot, watchdog != NULL ? atoll(watchdog) * 1000 / 4 : 0);
}
