// What the measurements have supervised: a program that costs next to nothing to start.
//
//   worker SOCKET NUMBER [BEAT_MS]
//   worker "SOCKET NUMBER" ANYTHING      as the first line of a script, "#!worker SOCKET NUMBER", has it
//
// Reports its start to the datagram socket SOCKET and sleeps until a signal ends it. With BEAT_MS it says
// READY=1 and beats once through NOTIFY_SOCKET, and then every BEAT_MS milliseconds (0: never again). Such a
// one falls silent on SIGUSR2, and on SIGUSR1 (which its supervisor is told to send to a silent task) it
// reports that, and exits with 3.
//
// On x86-64 it has no C library: what that does before main() is half the price of a start.
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include "report.h"

#if defined(__x86_64__)
static long call(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#else
#include <unistd.h>
static long call(long number, long a, long b, long c, long d, long e, long f) {
    const long result = syscall(number, a, b, c, d, e, f);
    return result < 0 ? -errno : result;
}
#endif

// The kernel's signal sets are 64 bits, whatever the C library's are.
static uint64_t bit(int signal) {
    return UINT64_C(1) << (signal - 1);
}

static _Noreturn void leave(int code) {
    for (;;) call(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

static int64_t now_ns(void) {
    struct timespec time;
    call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0, 0);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static long number_of(const char* text) {
    long number = 0;
    for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + (*text - '0');
    return number;
}

/// A datagram socket connected to `path`; ends the program where there is none.
static int connected_to(const char* path) {
    struct sockaddr_un address;
    address.sun_family = AF_UNIX;
    size_t size = 0;
    for (; path[size] != '\0' && size + 1 < sizeof address.sun_path; ++size)
        address.sun_path[size] = path[size];
    address.sun_path[size] = '\0';
    const long fd = call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0);
    if (fd < 0) leave(10);
    const size_t length = offsetof(struct sockaddr_un, sun_path) + size + 1;
    if (call(SYS_connect, fd, (long)&address, (long)length, 0, 0, 0) < 0) leave(11);
    return (int)fd;
}

static void send_to(int fd, const void* data, size_t size) {
    while (call(SYS_sendto, fd, (long)data, (long)size, MSG_NOSIGNAL, 0, 0) == -EINTR) {
    }
}

static const char* variable(char** environment, const char* name) {
    for (; *environment != NULL; ++environment) {
        const char* at = *environment;
        const char* wanted = name;
        while (*wanted != '\0' && *at == *wanted) ++at, ++wanted;
        if (*wanted == '\0' && *at == '=') return at + 1;
    }
    return NULL;
}

static _Noreturn void beat_for_ever(int reports, struct BenchReport* report, long interval_ms,
                                    const char* path) {
    static const char kFirst[] = "READY=1\nWATCHDOG=1";
    static const char kBeat[] = "WATCHDOG=1";
    const uint64_t told = bit(SIGUSR1) | bit(SIGUSR2);
    const int notify = connected_to(path);
    report->last_beat_ns = now_ns();
    send_to(notify, kFirst, sizeof kFirst - 1);
    report->beats = 1;
    for (;;) {
        const struct timespec pause = {interval_ms / 1000, interval_ms % 1000 * 1000000};
        const long got =
            call(SYS_rt_sigtimedwait, (long)&told, 0, interval_ms > 0 ? (long)&pause : 0, 8, 0, 0);
        if (got == SIGUSR2) interval_ms = 0;
        if (got == SIGUSR1) {
            report->kind = BENCH_FOUND;
            report->at_ns = now_ns();
            send_to(reports, report, sizeof *report);
            leave(3);
        }
        if (got == -EAGAIN) {
            report->last_beat_ns = now_ns();
            send_to(notify, kBeat, sizeof kBeat - 1);
            ++report->beats;
        }
    }
}

/// Splits "SOCKET NUMBER" into two words; gives the second, or `otherwise` where it is one word.
static const char* number_in(char* words, const char* otherwise) {
    for (; *words != '\0'; ++words)
        if (*words == ' ') {
            *words = '\0';
            return words + 1;
        }
    return otherwise;
}

static _Noreturn void run(int argc, char** argv, char** environment) {
    if (argc < 3) leave(2);
    const char* number = number_in(argv[1], argv[2]);
    if (argc > 3) {
        const uint64_t told = bit(SIGUSR1) | bit(SIGUSR2);
        call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&told, 0, 8, 0, 0);
    }
    struct BenchReport report = {BENCH_STARTED, (uint32_t)number_of(number), 0, 0, now_ns(), 0};
    report.pid = (int32_t)call(SYS_getpid, 0, 0, 0, 0, 0, 0);
    const int reports = connected_to(argv[1]);
    send_to(reports, &report, sizeof report);
    const char* path = argc > 3 ? variable(environment, "NOTIFY_SOCKET") : NULL;
    if (path != NULL) beat_for_ever(reports, &report, number_of(argv[3]), path);
    call(SYS_close, reports, 0, 0, 0, 0, 0);
    for (;;) call(SYS_rt_sigsuspend, (long)&(uint64_t){0}, 8, 0, 0, 0, 0);
}

#if defined(__x86_64__)
_Noreturn void begin(long* stack);
_Noreturn void begin(long* stack) {
    const int argc = (int)stack[0];
    char** argv = (char**)(stack + 1);
    run(argc, argv, argv + argc + 1);
}
// The kernel enters here with argc, argv and the environment on the stack.
__asm__(
    ".global _start\n"
    "_start:\n"
    "    xor %ebp, %ebp\n"
    "    mov %rsp, %rdi\n"
    "    and $-16, %rsp\n"
    "    call begin\n");
#else
int main(int argc, char** argv, char** environment) {
    run(argc, argv, environment);
}
#endif
