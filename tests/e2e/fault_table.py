"""Which errors each system call is made to fail with, by the kind that vigil_fail_at gives it, and why others are left
alone. From the man pages, section 2, and for descriptors of files what file systems add (EIO, ENOSPC). A call that is in
neither table is a fault of the walk: nothing that vigild begins to do stays untried for want of a line here.
"""
from errno import EAGAIN, EIO, EINTR, EMFILE, ENFILE, ENOMEM, ENOSPC

_DESCRIPTORS = [EMFILE, ENFILE]
_NEW = [*_DESCRIPTORS, ENOMEM]
_DISK = [ENOSPC, EIO, EINTR]
_STREAM = [EAGAIN, EINTR]
# Those of vigild to itself: 64 KiB hold 4,096 signals, and who reads one that blocks is not told EAGAIN.
_OWN_PIPE = [EINTR]

# A kind without "@" is that of the call on every descriptor which has no line of its own.
ERRORS = {
    # Descriptors that are made.
    "openat": [*_NEW, ENOSPC, EIO], "open": [*_NEW, ENOSPC, EIO], "socket": _NEW, "socketpair": _NEW, "pipe2": _DESCRIPTORS,
    "eventfd2": _NEW, "signalfd4": _NEW, "epoll_create1": _NEW, "timerfd_create": _NEW, "memfd_create": _NEW, "pidfd_open": _NEW, "pidfd_getfd": _DESCRIPTORS,
    "inotify_init1": _NEW, "inotify_add_watch": [ENOSPC, ENOMEM], "accept4": [*_NEW, EAGAIN, EINTR], "fcntl@dup": [EMFILE],
    "dup": [EMFILE], "dup2": [EINTR], "dup3": [EINTR], "close_range": [EMFILE, ENOMEM], "epoll_ctl@add": [ENOMEM, ENOSPC],
    # Files.
    "read@file": [EIO, EINTR], "read@proc": [EIO, ENOMEM], "read@device": [EIO, EINTR], "pread64": [EIO, EINTR], "preadv": [EIO, EINTR],
    "write@file": _DISK, "write@proc": [ENOMEM, EINTR], "write@memory": [ENOSPC, ENOMEM], "pwrite64": _DISK, "writev@file": _DISK, "pwritev": _DISK,
    "pwrite64@memory": [ENOSPC, ENOMEM], "ftruncate": _DISK, "ftruncate@memory": [ENOMEM], "fallocate": _DISK, "fsync": [EIO, ENOSPC, EINTR],
    "fdatasync": [EIO, ENOSPC, EINTR], "copy_file_range": [EIO, ENOSPC, ENOMEM], "mkdir": [ENOMEM, ENOSPC], "mkdirat": [ENOMEM, ENOSPC],
    "unlink": [EIO, ENOMEM], "unlinkat": [EIO, ENOMEM], "rmdir": [ENOMEM], "rename": [ENOMEM, ENOSPC], "renameat": [ENOMEM, ENOSPC], "renameat2": [ENOMEM, ENOSPC],
    "linkat": [EIO, ENOMEM, ENOSPC], "chmod": [EIO, ENOMEM], "fchmod": [EIO], "fchmod@socket": [ENOMEM], "fchmodat": [EIO, ENOMEM], "chown": [EIO, ENOMEM], "lchown": [EIO, ENOMEM],
    "fchown": [EIO], "newfstatat": [ENOMEM], "statx": [ENOMEM], "access": [EIO, ENOMEM], "faccessat": [EIO, ENOMEM], "faccessat2": [EIO, ENOMEM],
    "readlink": [EIO, ENOMEM], "readlinkat": [EIO, ENOMEM], "getdents64": [EIO], "statfs": [EIO, ENOMEM, EINTR], "fstatfs": [EIO, ENOMEM, EINTR], "utimensat": [EIO],
    "chdir": [EIO, ENOMEM], "fchdir": [EIO], "flock": [EAGAIN],
    # Sockets, pipes and the like.
    "bind": [ENOMEM, ENOSPC], "connect": [EAGAIN, EINTR], "getsockopt": [ENOMEM], "setsockopt": [ENOMEM],
    "sendto": [EAGAIN, EINTR, ENOMEM], "sendmsg": [EAGAIN, EINTR, ENOMEM], "sendmmsg": [EAGAIN, EINTR, ENOMEM],
    "recvfrom": [EAGAIN, EINTR, ENOMEM], "recvmsg": [EAGAIN, EINTR, ENOMEM], "recvmmsg": [EAGAIN, EINTR, ENOMEM],
    "read@pipe": _OWN_PIPE, "read@socket": _STREAM, "read@event": _STREAM, "read@timer": _STREAM, "read@signal": _STREAM, "read@inotify": _STREAM,
    "write@pipe": _OWN_PIPE, "write@socket": [EAGAIN, EINTR, ENOMEM], "writev@pipe": _STREAM, "write@device": [EIO, EINTR],
    "splice": [ENOMEM, EAGAIN, ENOSPC, EIO], "tee": [ENOMEM, EAGAIN], "poll": [EINTR, ENOMEM], "ppoll": [EINTR, ENOMEM],
    "epoll_wait": [EINTR], "epoll_pwait": [EINTR], "clock_nanosleep": [EINTR], "getrandom": [EINTR],
    # Processes, threads and memory.
    "clone3": [EAGAIN, ENOMEM], "clone": [EAGAIN, ENOMEM], "fork": [EAGAIN, ENOMEM], "vfork": [EAGAIN, ENOMEM], "unshare": [ENOMEM], "execve": [*_NEW, EAGAIN, EIO],
    "wait4": [EINTR], "waitid": [EINTR], "setresuid": [EAGAIN], "setgroups": [ENOMEM], "mmap": [ENOMEM], "mremap": [ENOMEM], "mprotect": [ENOMEM],
}

_PURE = "asks for or sets what the process has itself: none of these errors"
_ENDS = "gives something back, and is not called again: an error would be the tracer's own leak"
_EVENT = "a descriptor that does not block and whose count never comes near 2^64: no error"
EXCLUDED = {
    "brk": "says no by the old break and not by an errno; memory that is not to be had is what the walk of allocations is about",
    "munmap": _ENDS, "close": "the descriptor is closed whatever it says (close(2)): made to fail it would stay open",
    "madvise": "advice", "membarrier": _PURE, "futex": "EAGAIN and EINTR are its ordinary answers, and glibc aborts on others",
    "write@event": _EVENT, "epoll_ctl@other": "changes or removes what is there: no memory, no limit", "fcntl@other": _PURE, "ioctl": _PURE, "lseek": _PURE,
    "exit": "does not return", "exit_group": "does not return", "rt_sigreturn": "does not return", "restart_syscall": "the kernel's own",
    "rt_sigaction": _PURE, "rt_sigprocmask": _PURE, "rt_sigpending": _PURE, "rt_sigtimedwait": "EAGAIN is its ordinary answer", "sigaltstack": _PURE,
    "set_robust_list": _PURE, "set_tid_address": _PURE, "rseq": _PURE, "arch_prctl": _PURE, "prctl": _PURE, "prlimit64": _PURE, "sched_yield": _PURE,
    "sched_getaffinity": _PURE, "sched_setscheduler": _PURE, "sched_setaffinity": _PURE, "setpriority": _PURE, "getpriority": _PURE, "ioprio_set": _PURE,
    "getpid": _PURE, "getppid": _PURE, "gettid": _PURE, "getuid": _PURE, "geteuid": _PURE, "getgid": _PURE, "getegid": _PURE, "getgroups": _PURE,
    "getresuid": _PURE, "getresgid": _PURE, "setresgid": _PURE, "setsid": _PURE, "umask": _PURE, "uname": _PURE, "sysinfo": _PURE, "getcwd": _PURE,
    "getsockname": _PURE, "getpeername": _PURE, "shutdown": _PURE, "listen": _PURE, "kill": "EPERM, ESRCH and nothing else", "tgkill": "EPERM, ESRCH and nothing else",
    "pidfd_send_signal": "EPERM, ESRCH and nothing else", "timerfd_settime": _PURE, "timerfd_gettime": _PURE, "clock_gettime": _PURE, "clock_getres": _PURE, "getrusage": _PURE,
    "gettimeofday": _PURE, "times": _PURE, "getpgid": _PURE, "getsid": _PURE, "capget": _PURE, "capset": _PURE, "mlock": _PURE,
}


def _line(table, kind):
    plain = kind.removeprefix("child:")
    return table.get(plain, table.get(plain.partition("@")[0]))


def errors_of(kind):
    """What fits; empty: it is left alone. KeyError: it is in no table."""
    found = _line(ERRORS, kind)
    if found is None and _line(EXCLUDED, kind) is None:
        raise KeyError(f"{kind} is in no table of fault_table.py")
    return found or []
