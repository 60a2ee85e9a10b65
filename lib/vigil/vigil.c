/* A handle never changes after vigil_open, and its descriptor keeps its number even across a reconnection
 * (connect on a datagram socket replaces the peer in one step). Threads, forked children and signal handlers
 * therefore share it without a lock. */
#include "vigil.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct vigil_handle {
    int fd; /* -1: there is no supervisor */
    bool is_pipe;
    bool is_for_one_process; /* then only `watched_pid` is expected to beat */
    uint64_t watched_pid;
    uint64_t interval_usec;
    struct sockaddr_un address;
    socklen_t address_length;
};

/* A pipe keeps concurrent lines apart only up to PIPE_BUF bytes a write. */
_Static_assert(sizeof "STATUS=\n" + VIGIL_STATUS_MAX <= PIPE_BUF, "every message is written whole");

static const char* setting(const char* name) {
    const char* value = getenv(name);
    return value && *value ? value : NULL;
}

/* Digits only: strtoull would take "-1", " 7" and "0x10". */
static bool parse_decimal(const char* text, uint64_t* value) {
    if (!text) return false;
    uint64_t sum = 0;
    for (; *text; ++text) {
        if (*text < '0' || *text > '9') return false;
        const unsigned digit = (unsigned)(*text - '0');
        if (sum > (UINT64_MAX - digit) / 10) return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

/* UINT64_MAX is how systemd writes "for ever". */
static bool parse_interval(const char* text, uint64_t* value) {
    return parse_decimal(text, value) && *value != 0 && *value != UINT64_MAX;
}

static int parse_address(const char* text, struct sockaddr_un* address, socklen_t* length) {
    if (text[0] != '/' && text[0] != '@') return -EAFNOSUPPORT;
    const bool is_path = text[0] == '/';
    const size_t size = strlen(text);
    if (size < 2) return -EINVAL;
    if (size > sizeof address->sun_path - (is_path ? 1 : 0)) return -ENAMETOOLONG;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, text, size);
    if (!is_path) address->sun_path[0] = '\0';
    /* The length of an abstract name is part of the name: no padding may be counted. */
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (is_path ? 1 : 0));
    return 0;
}

/* By number, since ThreadSanitizer takes connect(2) for the birth of a descriptor and would report a race
 * with the send(2) of another thread, in every worker that is tested with it. To the kernel the two are
 * atomic. */
static int reconnect(const vigil_handle* handle) {
    return syscall(SYS_connect, handle->fd, &handle->address, handle->address_length) < 0 ? -errno : 0;
}

static int open_socket(vigil_handle* handle, const char* text) {
    const int error = parse_address(text, &handle->address, &handle->address_length);
    if (error) return error;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (fd <= STDERR_FILENO) {
        /* The worker was started with a standard stream closed: what it prints must not become a message. */
        const int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        const int why = errno;
        close(fd);
        if (moved < 0) return -why;
        fd = moved;
    }
    handle->fd = fd;
    (void)reconnect(handle); /* the first message tries again, and reports it */
    return 0;
}

static int open_pipe(vigil_handle* handle, const char* text) {
    uint64_t number;
    if (!parse_decimal(text, &number)) return -EINVAL;
    if (number > INT_MAX) return -EBADF;
    const int flags = fcntl((int)number, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) return -EBADF;
    /* A copy, since children of the worker may beat through the inherited one as well. */
    handle->fd = fcntl((int)number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    handle->is_pipe = true;
    return handle->fd < 0 ? -errno : 0;
}

static void read_interval(vigil_handle* handle) {
    uint64_t watchdog;
    if (!parse_interval(setting("VIGIL_HEARTBEAT_INTERVAL_USEC"), &handle->interval_usec)) {
        handle->interval_usec = 0;
        if (parse_interval(setting("WATCHDOG_USEC"), &watchdog))
            handle->interval_usec = watchdog > 3 ? watchdog / 3 : 1;
    }
    const char* pid = setting("WATCHDOG_PID");
    handle->is_for_one_process = pid != NULL;
    /* Not a number: 0 is nobody's process id. */
    if (!parse_decimal(pid, &handle->watched_pid)) handle->watched_pid = 0;
}

/* Errors after which the name may lead to a receiver that listens. A full queue is one of them: it may belong
 * to a receiver that its supervisor left behind, still open in some other process. */
static bool may_be_stale(int error) {
    return error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET || error == EPIPE ||
           error == EAGAIN;
}

static int send_datagram(const vigil_handle* handle, const char* text, size_t size) {
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (send(handle->fd, text, size, flags) >= 0) return 0;
    const int error = errno;
    if (!may_be_stale(error)) return -error;
    const int unreachable = reconnect(handle);
    /* ENOTCONN would say nothing; why there is no connection does. */
    if (unreachable) return error == EAGAIN ? -error : unreachable;
    return send(handle->fd, text, size, flags) < 0 ? -errno : 0;
}

/* O_NONBLOCK belongs to the open file description, which the worker's children and its supervisor share, so
 * it is not ours to set. RWF_NOWAIT is of one call, but a pipe knows it from Linux 6.4 on only, and a named
 * FIFO not even then. Before that, poll: it can be wrong only while several processes fight for the last free
 * page of a pipe nobody reads. */
static int write_now(int fd, const char* text, size_t size) {
    const struct iovec line = {.iov_base = (void*)(uintptr_t)text, .iov_len = size};
    if (pwritev2(fd, &line, 1, -1, RWF_NOWAIT) >= 0) return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return -errno;
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    const int ready = poll(&room, 1, 0);
    if (ready <= 0) return ready < 0 ? -errno : -EAGAIN;
    return write(fd, text, size) < 0 ? -errno : 0;
}

/* There is no MSG_NOSIGNAL for a pipe. SIGPIPE is sent to the thread that writes, so it can be held back and
 * taken away again unseen, unless one was pending before, which is not ours and blocked already. */
static int write_line(int fd, const char* text, size_t size) {
    sigset_t sigpipe;
    sigset_t pending;
    sigset_t mask;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE)) return write_now(fd, text, size);

    pthread_sigmask(SIG_BLOCK, &sigpipe, &mask);
    const int result = write_now(fd, text, size);
    if (result == -EPIPE) {
        const struct timespec at_once = {0};
        while (sigtimedwait(&sigpipe, NULL, &at_once) < 0 && errno == EINTR) continue;
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return result;
}

/* `text` ends in a line break, which a datagram does without. */
static int deliver(const vigil_handle* handle, const char* text, size_t size) {
    if (!handle || handle->fd < 0) return 0;
    const int before = errno;
    const int result =
        handle->is_pipe ? write_line(handle->fd, text, size) : send_datagram(handle, text, size - 1);
    errno = before;
    return result;
}

static int deliver_literal(const vigil_handle* handle, const char* text) {
    return deliver(handle, text, strlen(text));
}

int vigil_open(vigil_handle** handle) {
    *handle = NULL;
    const int before = errno;
    int result = 0;
    vigil_handle* fresh = calloc(1, sizeof *fresh);
    if (fresh) {
        fresh->fd = -1;
        const char* address = setting("NOTIFY_SOCKET");
        const char* pipe = setting("VIGIL_HEARTBEAT_FD");
        if (address)
            result = open_socket(fresh, address);
        else if (pipe)
            result = open_pipe(fresh, pipe);
    } else {
        result = -ENOMEM;
    }
    if (result < 0) {
        free(fresh);
    } else {
        if (fresh->fd >= 0) read_interval(fresh);
        *handle = fresh;
    }
    errno = before;
    return result;
}

int vigil_ready(vigil_handle* handle) {
    return deliver_literal(handle, "READY=1\n");
}

int vigil_beat(vigil_handle* handle) {
    /* The short form lets a pipe that is not being read hold eleven times as many. */
    return deliver_literal(handle, handle && handle->is_pipe ? "\n" : "WATCHDOG=1\n");
}

int vigil_stopping(vigil_handle* handle) {
    return deliver_literal(handle, "STOPPING=1\n");
}

/* Also the C1 controls, U+0080 to U+009F in UTF-8: a terminal obeys them, and one of them is a line break. */
static void blank_controls(char* text, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        const unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte == 0x7f) text[i] = ' ';
        if (byte == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] >= 0x80 &&
            (unsigned char)text[i + 1] < 0xa0)
            text[i] = text[i + 1] = ' ';
    }
}

int vigil_status(vigil_handle* handle, const char* format, ...) {
    static const char key[] = "STATUS=";
    enum { kKeySize = sizeof key - 1 };
    char message[kKeySize + VIGIL_STATUS_MAX + 2]; /* with the line break and the NUL of vsnprintf */
    memcpy(message, key, kKeySize);

    char* const text = message + kKeySize;
    const int before = errno;
    va_list arguments;
    va_start(arguments, format);
    const int wanted = vsnprintf(text, VIGIL_STATUS_MAX + 2, format, arguments);
    va_end(arguments);
    errno = before;
    if (wanted < 0) return -EINVAL;

    size_t size = (size_t)wanted;
    if (size > VIGIL_STATUS_MAX) {
        size = VIGIL_STATUS_MAX;
        /* If the first byte cut off continues a character of UTF-8, the rest of that character goes too. */
        for (int i = 0; i < 3 && ((unsigned char)text[size] & 0xc0) == 0x80; ++i) --size;
    }
    blank_controls(text, size);
    text[size] = '\n';
    return deliver(handle, message, kKeySize + size + 1);
}

uint64_t vigil_interval(const vigil_handle* handle) {
    if (!handle) return 0;
    if (handle->is_for_one_process && handle->watched_pid != (uint64_t)getpid()) return 0;
    return handle->interval_usec;
}

void vigil_close(vigil_handle* handle) {
    if (!handle) return;
    const int before = errno;
    if (handle->fd >= 0) close(handle->fd);
    free(handle);
    errno = before;
}
