#!/usr/bin/env python3
"""Runs one example worker as a supervisor would and holds it to what examples/README.md says of it.

    example_test.py socket|pipe|nothing COMMAND...

The worker must say READY=1, beat several times at the pace it was asked for, say STOPPING=1 on SIGTERM and exit
with 0. With `nothing` it must only live and end well.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

LIMIT = 30.0
BEATS = 5


class Inbox:
    """The supervisor's end: bytes of the worker, cut into messages."""

    def __init__(self, kind, directory):
        self.environment = {}
        self.inherited = ()
        self._reader = None
        self._rest = b""
        if kind == "socket":
            path = os.path.join(directory, "notify")
            self._reader = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._reader.bind(path)
            self.environment["NOTIFY_SOCKET"] = path
        elif kind == "pipe":
            self._reader, write_end = os.pipe()
            # One digit, as the shell needs it.
            os.dup2(write_end, 9)
            os.close(write_end)
            os.set_inheritable(9, True)
            self.inherited = (9,)
            self.environment["VIGIL_HEARTBEAT_FD"] = "9"

    def next(self, deadline):
        """The messages that arrive next; an empty list at the deadline."""
        ready, _, _ = select.select([self._reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return []
        if isinstance(self._reader, socket.socket):
            return [self._reader.recv(4096).decode()]
        *lines, self._rest = (self._rest + os.read(self._reader, 4096)).split(b"\n")
        return [line.decode() or "WATCHDOG=1" for line in lines]


def expect(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def main(kind, command):
    with tempfile.TemporaryDirectory(prefix="vigil-example-") as directory:
        inbox = Inbox(kind, directory)
        foreign = ("NOTIFY_SOCKET", "VIGIL_HEARTBEAT_FD", "WATCHDOG_PID")
        environment = {k: v for k, v in os.environ.items() if k not in foreign}
        # A pace that no worker takes of its own accord: BEATS beats take half a second, or 5 s.
        environment.update(inbox.environment, VIGIL_HEARTBEAT_INTERVAL_USEC="100000", WATCHDOG_USEC="30000000")
        worker = subprocess.Popen(command, env=environment, pass_fds=inbox.inherited, stdout=subprocess.PIPE)
        try:
            follow(kind, inbox, worker)
        finally:
            worker.kill()


def follow(kind, inbox, worker):
    deadline = time.monotonic() + LIMIT
    if kind == "nothing":
        expect(b"started" in worker.stdout.readline(), "a first word on stdout")
        try:
            expect(False, f"a worker that goes on; it ended with {worker.wait(timeout=0.5)}")
        except subprocess.TimeoutExpired:
            pass
    else:
        heard = []
        while heard.count("WATCHDOG=1") < BEATS:
            messages = inbox.next(deadline)
            expect(messages, f"{BEATS} beats within {LIMIT} s; heard {heard}")
            heard += messages
        expect(heard[0] == "READY=1", f"READY=1 comes first; heard {heard}")
        expect(any(m.startswith("STATUS=") and len(m) > 8 for m in heard), f"a status; heard {heard}")
    worker.send_signal(signal.SIGTERM)
    if kind != "nothing":
        heard = []
        while "STOPPING=1" not in heard:
            messages = inbox.next(deadline)
            expect(messages, f"STOPPING=1 after SIGTERM; heard {heard}")
            heard += messages
    said, _ = worker.communicate(timeout=LIMIT)
    expect(worker.returncode == 0, f"exit code 0 after SIGTERM; it was {worker.returncode}")
    expect(b"asked to end" in said, f"a last word on stdout; it said {said!r}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
