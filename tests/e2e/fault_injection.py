"""vigild under vigil_fail_at: which system calls it makes while something is done, and chosen ones of them failing."""
import json
import os
import signal
from collections import Counter

import cases
import processes
from cases import eventually
from harness import Daemon
from kill_scenarios import marked

TOOL = "tests/tools/vigil_fail_at"


class Fault:
    """Calls of this kind (several, with commas between) fail with this errno: the `first`-th of them and so many that
    follow; count 0: all."""

    def __init__(self, kind, error, first=1, count=1):
        self.kind, self.error, self.first, self.count = kind, error, first, count

    def __str__(self):
        import errno
        many = "" if self.count == 1 else f"+{self.count or 'all'}"
        return f"{self.kind}:{self.first}{many}:{errno.errorcode[self.error]}"

    @property
    def order(self):
        return f"{self.kind} {self.first} {self.count} {self.error}\n"


class Faulty(Daemon):
    """A Daemon under vigil_fail_at. `at_start`: faults of its start, counted from its exec on."""

    def __init__(self, tasks, at_start=None, daemon=None, **more):
        super().__init__(daemon={"cgroup": "off", **(daemon or {})}, **more)
        self.config["include"] = ["conf.d/*.json"]
        os.mkdir(self.path("conf.d"))
        self.configure(tasks)
        self.report, self.orders = self.path("report"), self.path("orders")
        self.give_orders(at_start or [])
        self._wrap = [os.path.join(cases.BUILD, TOOL), self.report, self.orders]
        self._read = 0

    def configure(self, tasks):
        self.config["tasks"] = {name: marked(self, spec) for name, spec in tasks.items()}
        self.write_config(json.dumps(self.config))

    def give_orders(self, faults):
        with open(self.orders, "w") as file:
            file.write("".join(fault.order for fault in faults))

    def untraced(self):
        self._wrap = []

    @property
    def pid(self):
        """Remembered: asked for all the time."""
        if getattr(self, "_of", None) is not self.process:
            self._of, self._pid = self.process, super().pid
        return self._pid

    def told(self):
        """The words of each line of the report since the last call."""
        with open(self.report) as file:
            file.seek(self._read)
            text = file.read()
        whole = text[:text.rfind("\n") + 1]
        self._read += len(whole)
        return [line.split() for line in whole.splitlines()]

    def await_told(self, word):
        lines = []

        def said():
            lines.extend(self.told())
            return any(line[0] == word for line in lines) or self.process.poll() is not None
        eventually(said, what=f"the tracer says {word}")
        return lines

    def arm(self, faults=()):
        """From here on these fail, and everything counts."""
        self.give_orders(faults)
        os.kill(self.process.pid, signal.SIGUSR1)
        self.await_told("marked")

    def disarm(self):
        """Nothing fails any more. Gives the calls that failed and how many there were of each kind."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGUSR2)
        return met(self.await_told("ended"))

    def is_alive(self):
        return self.process.poll() is None and processes.alive(self.pid)


def met(lines):
    """What the report tells: kinds of calls that failed, in order, and how many there were of each kind."""
    failed = [line[1] for line in lines if line[0] == "failed"]
    return failed, Counter({line[1]: int(line[2]) for line in lines if line[0] == "count"})
