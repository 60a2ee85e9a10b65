"""Processes as /proc shows them, and the duty of a subreaper: whatever a daemon leaves behind becomes ours."""
import ctypes
import os
import signal

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def stat(pid):
    """(state, parent) of a process, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The command, in brackets, may itself hold blanks and brackets.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return fields[0].decode(), int(fields[1])


def state(pid):
    """R, S, D, T, Z, ... or None."""
    found = stat(pid)
    return found[0] if found else None


def alive(pid):
    return state(pid) not in (None, "Z")


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def environment(pid):
    """Its variables; empty for a moment after the exec, when the new program's memory is not yet laid out."""
    with open(f"/proc/{pid}/environ", "rb") as file:
        return dict(entry.decode().split("=", 1) for entry in file.read().split(b"\0") if b"=" in entry)


def descendants(root):
    """Every process below root, zombies included."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            found = stat(int(entry))
            if found:
                children.setdefault(found[1], []).append(int(entry))
    below, parents = [], [root]
    while parents:
        new = children.get(parents.pop(), [])
        below += new
        parents += new
    return below


def children(parent):
    return [pid for pid in descendants(parent) if (stat(pid) or ("", 0))[1] == parent]


def zombies(parent):
    return [pid for pid in children(parent) if state(pid) == "Z"]


def describe(pids):
    return ", ".join(f"{pid} ({state(pid)}: {command_line(pid)})" for pid in pids)


def end(pids):
    """Ends left-overs by their numbers and takes their statuses, where they are ours to take."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for pid in pids:
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass


def descriptors(pid):
    """What each descriptor of a process leads to."""
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{number}"))
        except OSError:
            pass
    return found


def status_field(pid, name):
    """A line of /proc/PID/status: its words."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key == name:
                return value.split()
    raise KeyError(name)
