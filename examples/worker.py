#!/usr/bin/env python3
"""A supervised worker in Python, from the standard library alone: copy class Supervisor and keep it.

Runs the same under vigild, under systemd (Type=notify, WatchdogSec=), and from a shell without either.
"""

import itertools
import os
import signal
import socket


class Supervisor:
    """The process that watches this one; without one, every call does nothing."""

    def __init__(self):
        self._address = os.environ.get("NOTIFY_SOCKET")
        self._socket = None
        if self._address:
            if self._address.startswith("@"):  # the abstract namespace
                self._address = "\0" + self._address[1:]
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            # A supervisor that does not read must not hold up the work.
            self._socket.setblocking(False)

    def interval(self, otherwise):
        """Seconds between two beats as the supervisor wants them; `otherwise` if it wants none."""
        if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
            return otherwise
        for name, share in (("VIGIL_HEARTBEAT_INTERVAL_USEC", 1), ("WATCHDOG_USEC", 3)):
            if os.environ.get(name):
                return int(os.environ[name]) / share / 1e6
        return otherwise

    def ready(self):
        self._send("READY=1")

    def beat(self):
        self._send("WATCHDOG=1")

    def status(self, text):
        self._send("STATUS=" + " ".join(text.splitlines()))

    def stopping(self):
        self._send("STOPPING=1")

    def _send(self, message):
        if self._socket:
            try:
                # By name each time: a supervisor that was restarted is found again.
                self._socket.sendto(message.encode(), self._address)
            except OSError:
                pass  # the supervisor is away or busy; the next message may reach it


def primes():
    for number in itertools.count(2):
        if all(number % divisor for divisor in range(2, int(number**0.5) + 1)):
            yield number


def main():
    # The signals that end the worker are blocked and received by sigtimedwait, between two pieces of work.
    end = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, end)

    supervisor = Supervisor()
    pause = supervisor.interval(otherwise=1.0)
    print(f"python: started, a prime number every {pause:g} s", flush=True)
    supervisor.ready()
    for found, prime in enumerate(primes(), start=1):
        if found % 10 == 0:
            print(f"python: prime number {found} is {prime}", flush=True)
        supervisor.status(f"{found} primes, the last is {prime}")
        supervisor.beat()  # where a piece of work is done; a worker that is stuck does not come by
        if signal.sigtimedwait(end, pause):
            break
    supervisor.stopping()
    print(f"python: asked to end after {found} primes", flush=True)


if __name__ == "__main__":
    main()
