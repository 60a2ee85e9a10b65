/* libvigil: how a worker tells the process that supervises it that it is alive.
 *
 * Speaks the sd_notify protocol, so the same program runs under vigild, under systemd, and under nothing at
 * all: without a supervisor every call succeeds and does nothing. Plain C11, nothing needed but libc.
 *
 *     vigil_handle* vigil;
 *     if (vigil_open(&vigil) < 0) return 1;
 *     vigil_ready(vigil);
 *     while (do_some_work()) vigil_beat(vigil);
 *     vigil_close(vigil);
 *
 * Beat where work is done, not in a thread of its own: a thread that only beats shows that the process
 * exists, which the supervisor knows already.
 *
 * Where messages go, settled once by vigil_open from the environment:
 *   NOTIFY_SOCKET       a Unix datagram socket: an absolute path, or '@' and an abstract name.
 *   VIGIL_HEARTBEAT_FD  where NOTIFY_SOCKET is not set: the number of an inherited descriptor, the write end
 *                       of a pipe, for the same messages, one a line; an empty line is a beat.
 *   A variable that is set and empty counts as not set. The environment is not changed.
 *
 * Results: 0 is success, a negative value is an errno (-EAGAIN). The variable errno is never changed.
 *
 * Blocking: no call waits. When the supervisor does not read and the queue is full, the message is dropped
 * and the call returns -EAGAIN. A worker should carry on after any error: the next call tries again, and
 * finds by itself a supervisor that was replaced in the meantime.
 *
 * Threads: any number of threads may use one handle at once; only vigil_close must be the last call.
 *
 * Signal handlers: vigil_ready, vigil_beat, vigil_stopping and vigil_interval may be called in one: they take
 * no lock and allocate nothing. vigil_open, vigil_status and vigil_close may not.
 *
 * fork: a child may go on using the handle, and should close it if it does not. Its messages carry its own
 * process id; whether they count is for the supervisor to decide (heartbeat.access, NotifyAccess=).
 * exec: the descriptor of the handle is close-on-exec. A program that closes all its descriptors (closefrom)
 * must do so before vigil_open.
 */
#ifndef VIGIL_H
#define VIGIL_H

#include <stdint.h>

#if defined(__GNUC__)
#define VIGIL_API __attribute__((__visibility__("default")))
#define VIGIL_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define VIGIL_API
#define VIGIL_PRINTF(text, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The longest status text in bytes; what goes beyond is cut off between two characters. */
#define VIGIL_STATUS_MAX 512

/* A way to the supervisor, or to nowhere. Every function takes NULL for a handle that leads nowhere, so a
 * program may ignore the result of vigil_open and run unsupervised. */
typedef struct vigil_handle vigil_handle;

/* Opens a handle and stores it in *handle; the caller owns it and gives it to vigil_close. A supervisor that
 * cannot be reached right now is no error here: it may be restarting. On failure *handle is NULL and the
 * result is
 *   -EAFNOSUPPORT  NOTIFY_SOCKET is neither an absolute path nor an abstract name
 *   -ENAMETOOLONG  NOTIFY_SOCKET does not fit a socket address (107 bytes for a path)
 *   -EINVAL        NOTIFY_SOCKET is a lone '/' or '@', or VIGIL_HEARTBEAT_FD is not a number
 *   -EBADF         VIGIL_HEARTBEAT_FD is not open, or not for writing
 *   -EMFILE, -ENFILE, -ENOMEM, ...  no descriptor or no memory could be had.
 */
VIGIL_API int vigil_open(vigil_handle** handle);

/* Says that start-up is complete and the worker serves (READY=1). Errors: as for vigil_beat. */
VIGIL_API int vigil_ready(vigil_handle* handle);

/* Says that the worker is alive (WATCHDOG=1). Never limited in rate; 1 to 2 microseconds. Errors:
 *   -EAGAIN        the supervisor does not read and its queue is full
 *   -ECONNREFUSED, -ENOENT  the supervisor is gone
 *   -EPIPE         nobody holds the read end of the pipe (SIGPIPE is not raised)
 *   or another errno of send(2), connect(2) or write(2).
 */
VIGIL_API int vigil_beat(vigil_handle* handle);

/* Sets the line of text shown beside the worker's state (STATUS=), from a format as for printf. A control
 * character, a line break above all, becomes a space: text cannot smuggle in another message. For text that
 * comes from elsewhere, use vigil_status(handle, "%s", text). Errors: -EINVAL if the format cannot be carried
 * out, else as for vigil_beat. */
VIGIL_API int vigil_status(vigil_handle* handle, const char* format, ...) VIGIL_PRINTF(2, 3);

/* Says that the worker is shutting down of its own accord (STOPPING=1). Errors: as for vigil_beat. */
VIGIL_API int vigil_stopping(vigil_handle* handle);

/* How often the supervisor wants a beat, in microseconds, or 0 if it wants none from this process. That is
 * VIGIL_HEARTBEAT_INTERVAL_USEC, else a third of WATCHDOG_USEC, which is how long silence is suffered. A
 * value that is no positive decimal number below 2^64 - 1 counts as not set. The result is 0 as well without
 * a supervisor, and in a process that WATCHDOG_PID does not name, such as a forked child: nobody waits for
 * its beats, though one sent by vigil_beat is still delivered. */
VIGIL_API uint64_t vigil_interval(const vigil_handle* handle);

/* Closes the handle and frees it. No message is sent. The descriptor named by VIGIL_HEARTBEAT_FD stays open:
 * the handle has a copy of its own. */
VIGIL_API void vigil_close(vigil_handle* handle);

#ifdef __cplusplus
}
#endif

#endif
