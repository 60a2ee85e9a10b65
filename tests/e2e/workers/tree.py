"""A tree that is hard to end: tree.py FILE writes the pids of its processes to FILE, one a line, when it stands.

All ignore SIGTERM: the main process; a child in a session of its own with a child in another one; a daemon that
forked twice; one that has given up its environment; one that does nothing but hold stdout open.
"""
import os
import signal
import sys
import time

FILE = sys.argv[1]
signal.signal(signal.SIGTERM, signal.SIG_IGN)


def stand(told):
    os.write(told, f"{os.getpid()}\n".encode())
    os.close(told)
    while True:
        time.sleep(1000)


def child(of, body):
    """Forks; in the child: a session of its own, then body."""
    if os.fork() == 0:
        os.setsid()
        body(of)
        os._exit(1)


def with_grandchild(told):
    child(told, stand)
    stand(told)


def twice_forked(told):
    if os.fork() == 0:
        stand(told)
    os._exit(0)


def without_environment(told):
    os.set_inheritable(told, True)
    script = f"trap '' TERM; echo $$ >&{told}; exec {told}>&-; while :; do sleep 1000; done"
    os.execve("/bin/sh", ["/bin/sh", "-c", script], {})


reading, told = os.pipe()
child(told, with_grandchild)
child(told, twice_forked)
child(told, without_environment)
child(told, stand)
os.close(told)
pids = [str(os.getpid())]
with os.fdopen(reading) as lines:
    # One line a process; the end of the pipe comes when all have closed it.
    pids += [line.strip() for line in lines]
with open(FILE + ".new", "w") as file:
    file.write("\n".join(pids) + "\n")
os.rename(FILE + ".new", FILE)
while True:
    time.sleep(1000)
