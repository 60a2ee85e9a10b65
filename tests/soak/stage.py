"""The daemon of a soak, the directory it lives in, and what all who act upon it share."""
import json
import os
import random
import shutil
import threading
import time

import processes
import specs
from cases import eventually
from harness import Daemon

# What the driver itself has started; anything else that ends below it is its to reap.
OWN_PROGRAMS = ("vigilctl", "python3", "sh")


class Counts:
    """Figures that several threads add to."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = {}

    def add(self, what, number=1):
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + number

    def __getitem__(self, what):
        return self._counts.get(what, 0)

    def items(self, prefix=""):
        with self._lock:
            return sorted((name, count) for name, count in self._counts.items() if name.startswith(prefix))


class Stage:
    """A daemon with `count` tasks, and the threads that act upon it."""

    def __init__(self, seed, count, mean_ms, cgroup=None):
        self.seed, self.count, self.mean_ms, self.cgroup = seed, count, mean_ms, cgroup
        self.counts = Counts()
        self.faults = []  # what somebody saw that must never be, as text
        self.quiet = threading.Event()  # operators and fate act no more
        self.over = threading.Event()  # nobody watches any more
        self.gone = threading.Event()  # and nothing is to be reaped
        self.daemon_lives = threading.Event()
        self.daemon_lives.set()
        more = {"around": cgroup.wrap} if cgroup else {}
        settings = {"log": {"level": "debug"}} if cgroup else {"log": {"level": "debug"}, "cgroup": "off"}
        self.daemon = Daemon(daemon=settings, wait=False, **more)
        self.daemon.keep = True  # until everything has passed
        self.ledgers = self.daemon.path("ledgers")
        os.mkdir(self.ledgers)
        self.names = specs.names(count)
        self.first_tasks = {name: specs.task(seed, name, self.ledgers, mean_ms) for name in self.names}
        self.tasks = dict(self.first_tasks)
        self.write(self.tasks)
        self._threads = []

    def lot(self, who):
        return random.Random(f"{self.seed}-{who}")

    def write(self, tasks):
        """In one step: a daemon may be reading."""
        self.daemon.config["tasks"] = tasks
        self.write_text(json.dumps(self.daemon.config))

    def write_text(self, text):
        path = self.daemon.config_path
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def log_after(self, offset):
        with open(self.daemon.log_path, errors="replace") as file:
            file.seek(offset)
            return file.read()

    def fault(self, text):
        self.faults.append(text)
        print(f"FAULT: {text}", flush=True)

    def begin(self, name, action, until):
        """action() again and again in a thread of its own, until this event."""
        def run():
            try:
                while not until.is_set():
                    action()
            except Exception as error:  # noqa: BLE001, whatever it is must not end unseen
                self.fault(f"{name}: {type(error).__name__}: {error}")
        thread = threading.Thread(target=run, name=name)
        self._threads.append((thread, until))
        thread.start()

    def end(self, event):
        """Sets it, and waits for those who act until then."""
        event.set()
        for thread, until in self._threads:
            if until is event:
                thread.join()

    def pause(self, seconds):
        self.quiet.wait(seconds)

    def answers(self):
        """However busy the machine is: a daemon that answers late is no fault, one that never does is."""
        def answered():
            if self.daemon.process.poll() is not None:
                raise AssertionError(f"vigild ended with {self.daemon.process.returncode} instead of answering")
            try:
                with self.daemon.client(limit=30) as client:
                    return client.call("daemon.hello")
            except OSError:
                return None
        eventually(answered, limit=120, what="vigild answers on its control socket")

    def leave(self, keep):
        """After the end: the directory stays, or goes."""
        if keep:
            print(f"the daemon's log, the ledgers and the tasks' logs are in {self.daemon.directory}", flush=True)
        else:
            shutil.rmtree(self.daemon.directory)

    def reap(self):
        """What a killed daemon leaves behind is ours, and nobody else reaps it."""
        for pid in children_of_this_program():
            if pid == self.daemon.process.pid or processes.state(pid) != "Z" or command_name(pid) in OWN_PROGRAMS:
                continue
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
        time.sleep(0.1)


def children_of_this_program():
    found = []
    for thread in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{thread}/children") as file:
                found += map(int, file.read().split())
        except OSError:
            pass
    return found


def command_name(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return None
