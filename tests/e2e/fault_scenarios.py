"""What vigild does while a system call of it fails, and what must be so afterwards. Each is done again and again in one
daemon, which has to survive all of it: set up, ordered under the fault, looked at, undone.
"""
import contextlib
import os
import re
import signal
import time

import processes
from cases import eventually
from client import RpcError
from harness import PYTHON, shell, worker
from kill_scenarios import NEWER, TREE, healthy, marked, processes_problem, stopped
from logs import log_of

# A failed spawn that is the task's own fault is to cost no time.
AT_ONCE = {"restart": {"base_delay": "1ms", "jitter": 0, "max_attempts": None}}
KEPT_UP = {**TREE, **AT_ONCE}
IDLE = {**KEPT_UP, "autostart": False}

# How an order ended for the one who gave it.
DONE, REFUSED, DROPPED = "done", "refused", "dropped"


class Scenario:
    daemon = {}
    single = ()  # tasks of one process, where others are trees of two

    def tasks(self):
        return {"a": KEPT_UP, "b": KEPT_UP, "idle": IDLE}

    def prepare(self, daemon):
        """Before each time, without a fault."""

    def order(self, daemon, client):
        """Under the fault. An RpcError or a ConnectionError is an answer, too."""
        raise NotImplementedError

    def problem(self, tasks, before):
        """What is wrong once it is done, or None."""
        raise NotImplementedError

    def undo(self, daemon):
        """Back to what it was, without a fault."""

    def is_right(self, daemon, before):
        tasks = states(daemon)
        b = None if (tasks["b"]["pid"], tasks["b"]["status"]) == (before["b"]["pid"], "healthy") else "b is not as it was"
        wrong = self.problem(tasks, before) or b
        return wrong or processes_problem(daemon, tasks, self.single)

    def again(self, daemon, before):
        """After an order that failed: the same without a fault has to succeed."""
        with daemon.client() as client:
            self.order(daemon, client)


def states(daemon):
    return {task["name"]: task for task in daemon.rpc("task.status")["tasks"]}


class Start(Scenario):
    def order(self, _, client):
        client.call("task.start", {"name": "idle"})

    def problem(self, tasks, before):
        wrong = healthy(tasks["idle"], None)
        return wrong and f"idle {wrong}: {tasks['idle']}"

    def undo(self, daemon):
        daemon.rpc("task.stop", {"name": "idle"})


class Stop(Scenario):
    def order(self, _, client):
        client.call("task.stop", {"name": "a"})

    def problem(self, tasks, before):
        wrong = stopped(tasks["a"], None)
        return wrong and f"a {wrong}: {tasks['a']}"

    def undo(self, daemon):
        daemon.rpc("task.start", {"name": "a"})


class Restart(Scenario):
    def order(self, _, client):
        client.call("task.restart", {"name": "a"})

    def problem(self, tasks, before):
        wrong = healthy(tasks["a"], None)
        if wrong is None and tasks["a"]["generation"] <= before["a"]["generation"]:
            wrong = "was not restarted"
        return wrong and f"a {wrong}: {tasks['a']}"


class Add(Scenario):
    def order(self, daemon, client):
        client.call("task.add", {"name": "new", "spec": marked(daemon, KEPT_UP)})

    def problem(self, tasks, before):
        wrong = healthy(tasks.get("new"), None)
        return wrong and f"new {wrong}: {tasks.get('new')}"

    def again(self, daemon, before):
        # It may have been told that the start failed; the task is there then.
        if "new" in states(daemon):
            daemon.rpc("task.start", {"name": "new"})
        else:
            super().again(daemon, before)

    def undo(self, daemon):
        daemon.rpc("task.remove", {"name": "new"})


class Persist(Add):
    """A task that is written to the configuration, too."""

    def order(self, daemon, client):
        client.call("task.add", {"name": "new", "persist": True, "spec": marked(daemon, KEPT_UP)})

    def again(self, daemon, before):
        if "new" in states(daemon):
            daemon.rpc("task.remove", {"name": "new", "persist": os.path.exists(daemon.path("conf.d/new.json"))})
        Scenario.again(self, daemon, before)

    def undo(self, daemon):
        daemon.rpc("task.remove", {"name": "new", "persist": True})


class Remove(Scenario):
    def prepare(self, daemon):
        daemon.rpc("task.add", {"name": "new", "spec": marked(daemon, KEPT_UP)})

    def order(self, _, client):
        client.call("task.remove", {"name": "new"})

    def problem(self, tasks, before):
        return f"new is still there: {tasks['new']}" if "new" in tasks else None

    def again(self, daemon, before):
        if "new" in states(daemon):
            super().again(daemon, before)


class Reload(Scenario):
    """One task changed, one gone, one new; and back."""

    def order(self, daemon, client):
        daemon.configure({"a": {**NEWER, **AT_ONCE}, "b": KEPT_UP, "new": KEPT_UP})
        client.call("daemon.reload")

    def problem(self, tasks, before):
        if "idle" in tasks or set(tasks) != {"a", "b", "new"}:
            return f"the tasks are {sorted(tasks)}"
        if tasks["a"]["generation"] <= before["a"]["generation"]:
            return f"a was not restarted: {tasks['a']}"
        wrong = healthy(tasks["a"], None) or healthy(tasks["new"], None)
        return wrong and f"a or new {wrong}: {tasks}"

    def undo(self, daemon):
        daemon.configure(self.tasks())
        daemon.rpc("daemon.reload")


class Crash(Scenario):
    def order(self, daemon, client):
        before = client.call("task.status", {"name": "a"})["tasks"][0]
        with contextlib.suppress(ProcessLookupError):  # by the try before this one
            os.kill(before["pid"], signal.SIGKILL)
        eventually(lambda: client.call("task.status", {"name": "a"})["tasks"][0]["generation"] > before["generation"]
                   or None, what="a is started again")
        client.call("task.wait", {"name": "a", "for": "healthy"})

    problem = Restart.problem

    def again(self, daemon, before):
        eventually(lambda: states(daemon)["a"]["status"] == "healthy", what="a is healthy again, or still")
        # It may not have come to the kill.
        if states(daemon)["a"]["pid"] == before["a"]["pid"]:
            super().again(daemon, before)


class Printing(Scenario):
    """Much is printed by one task, so that its log is put aside each time."""
    single = "a",

    def tasks(self):
        printer = {"command": [PYTHON, "-c", PRINTER], "output": {"max_size": "64KiB", "keep": 2, "compress": False}}
        return {"a": printer, "b": KEPT_UP}

    def prepare(self, daemon):
        """Until then the signal would be its end."""
        if not getattr(self, "ready", False):
            self.ready = eventually(lambda: self.last(daemon, b"ready") is not None, what="a is ready for signals")

    def order(self, daemon, client):
        before = self.last(daemon) or 0, self.dropped(client)
        client.call("task.signal", {"name": "a", "signal": "USR1"})
        eventually(lambda: (self.last(daemon) or 0) > before[0] or self.dropped(client) > before[1],
                   what="all is in the log, or counted as dropped")

    def last(self, daemon, word=b"end"):
        """The highest number after the word near the end of the log, or of the one that was put aside last."""
        found = []
        place = log_of(daemon, "a")
        for name in (place, place + ".1"):
            try:
                with open(name, "rb") as file:
                    file.seek(max(0, os.path.getsize(name) - 4096))
                    found += re.findall(word + rb" (\d+)\n", file.read())
            except OSError:
                pass
        return max(map(int, found), default=None)

    def dropped(self, client):
        return (client.call("task.status", {"name": "a"})["tasks"][0].get("output") or {}).get("dropped_bytes", 0)

    def problem(self, tasks, before):
        a = tasks["a"]
        return None if (a["pid"], a["status"]) == (before["a"]["pid"], "healthy") else f"a is not as it was: {a}"


PRINTER = """
import os, signal, time
n = 0
def text(*_):
    global n
    n += 1
    for i in range(50):
        os.write(1, b"x" * 4000 + b"\\n")
    os.write(1, b"end %d\\n" % n)
signal.signal(signal.SIGUSR1, text)
os.write(1, b"ready 0\\n")
while True:
    signal.pause()
"""


class Answering(Scenario):
    """A client that comes, asks for everything there is to read, listens, and goes."""

    def order(self, daemon, _):
        with daemon.client() as client:
            client.call("daemon.hello")
            client.call("daemon.status")
            client.call("task.status", {"name": "a", "details": True})
            client.call("task.logs", {"name": "a"})
            client.call("daemon.check")
            client.call("events.subscribe")
            client.call("task.restart", {"name": "a"})
            client.events(lambda event: event["name"] == "a" and event["to"] == "healthy", limit=10)

    def again(self, daemon, before):
        self.order(daemon, None)

    problem = Restart.problem


class Beating(Scenario):
    """A task that beats, by datagrams, while one of the calls which read them fails."""
    single = "a",

    def tasks(self):
        beats = {"command": worker("beater.py", 0.02), "ready": {"on": "notify"}, "heartbeat": {"timeout": "1500ms"}}
        return {"a": beats, "b": KEPT_UP}

    def order(self, daemon, client):
        for _ in range(3):
            seen = client.call("task.status", {"name": "a"})["tasks"][0]["last_heartbeat_age_ms"]
            time.sleep(0.03)
        assert seen is not None

    problem = Printing.problem


SCENARIOS = {"start": Start, "stop": Stop, "restart": Restart, "add": Add, "persist": Persist, "remove": Remove, "reload": Reload,
             "crash": Crash, "printing": Printing, "answering": Answering, "beating": Beating}


def how_it_went(order):
    """DONE, REFUSED or DROPPED, and the words. Silence is a fault."""
    try:
        order()
        return DONE, ""
    except RpcError as error:
        return REFUSED, str(error)
    except TimeoutError:
        raise AssertionError("the client was not answered") from None
    except (ConnectionError, OSError) as error:
        return DROPPED, str(error)


def descriptor_tables(pid):
    """The descriptors of every table there is: the output threads have one of their own."""
    tables = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            tables.add(frozenset(os.listdir(f"/proc/{pid}/task/{thread}/fd")))
        except OSError:
            pass
    return sorted(len(table) for table in tables)


def zombies(daemon):
    return processes.zombies(daemon.pid)
