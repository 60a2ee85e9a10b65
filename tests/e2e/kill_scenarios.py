"""What kill -9 of vigild must not break: for each scenario the tasks, the order, and what must have become of them
whatever the moment of the kill. A new one is a subclass with an act() or a request(), its rules, and a line in SCENARIOS.
"""
import os
import signal
import time

import processes
from cases import eventually
from client import Client
from harness import shell

# A tree, so that a stop has more than one process to wait for.
TREE = {"command": shell("sleep 1000 & exec sleep 1001")}
# What a reload makes of it.
NEWER = {"command": shell("sleep 2000 & exec sleep 2001")}


def marked(daemon, spec):
    return {**spec, "env": {"HOME_OF_TEST": daemon.directory}}


# Rules: what a task's status object (or None) may look like afterwards; given what it was before. They say what is wrong.

def healthy(task, _):
    return None if task and (task["status"], task["desired"]) == ("healthy", "up") else "is not healthy"


def untouched(task, before):
    same = task and all(task[key] == before[key] for key in ("status", "desired", "pid", "generation"))
    return None if same else "is not as it was"


def stopped(task, _):
    return None if task and (task["status"], task["desired"], task["pid"]) == ("stopped", "stopped", None) else "is not stopped"


def absent(task, _):
    return "is still there" if task else None


def either(*rules):
    def rule(task, before):
        problems = [one(task, before) for one in rules]
        return None if None in problems else " and ".join(problems)
    return rule


class Scenario:
    """What is ordered, and what must have become of the tasks whatever the moment of the kill. `answered` in a rule's
    name means that the client was told that it is done."""
    from_exec = False        # counts from the daemon's exec on, else from the order
    has_predecessor = False  # it is the start of a daemon after one that was killed
    rules, rules_answered = {}, {}

    def tasks(self):
        return {"a": TREE, "b": TREE, "idle": {**TREE, "autostart": False}}

    def prepare(self, daemon):
        """Before anything counts."""

    def act(self, daemon, client):
        """Gives the order, and whether it was answered."""
        raise NotImplementedError

    def problem(self, daemon, before, answered):
        """What is wrong with what the next vigild made of it, or None."""
        tasks = {task["name"]: task for task in daemon.rpc("task.status")["tasks"]}
        rules = {"b": untouched, "idle": untouched, **self.rules, **(self.rules_answered if answered else {})}
        if set(tasks) - set(rules):
            return f"there are tasks that nobody asked for: {sorted(tasks)}"
        for name, rule in rules.items():
            wrong = rule(tasks.get(name), before.get(name))
            if wrong:
                return f"{name} {wrong}: {tasks.get(name)}; before: {before.get(name)}"
        return processes_problem(daemon, tasks)


def marked_processes(daemon):
    """{task: {pid: invocation}} of all that was started for this daemon's tasks, whoever is its parent by now."""
    found = {}
    for pid in processes.descendants(os.getpid()):
        try:
            marks = processes.environment(pid) if processes.alive(pid) else {}
        except OSError:
            continue
        if marks.get("HOME_OF_TEST") == daemon.directory:
            found.setdefault(marks.get("VIGIL_TASK"), {})[pid] = marks.get("VIGIL_INVOCATION")
    return found


def processes_problem(daemon, tasks, single=()):
    """Whether the live processes are those of which the states tell, and of one run each: two of a task, and one of
    those in `single`."""
    marked = marked_processes(daemon)
    for name, pids in marked.items():
        leader = (tasks.get(name) or {}).get("pid")
        if leader not in pids:
            return f"{name} has pid {leader}, and there are {processes.describe(pids)}"
        if len(set(pids.values())) != 1:
            return f"{name} runs more than once: {processes.describe(pids)}"
    for name, task in tasks.items():
        if task["pid"] is not None and len(marked.get(name, {})) != (1 if name in single else 2):
            return f"{name} has pid {task['pid']}, and there are {processes.describe(marked.get(name, {}))}"
    return None


class Order(Scenario):
    """A request on a connection that was made before."""

    def act(self, daemon, client):
        try:
            client.call(*self.request(daemon))
            return True
        except (ConnectionError, OSError):
            return False


class Start(Order):
    rules = {"a": untouched, "idle": either(untouched, healthy)}
    rules_answered = {"idle": healthy}

    def request(self, _):
        return "task.start", {"name": "idle"}


class Stop(Order):
    rules = {"a": either(untouched, stopped)}
    rules_answered = {"a": stopped}

    def request(self, _):
        return "task.stop", {"name": "a"}


class Restart(Order):
    rules = {"a": healthy}
    rules_answered = {"a": lambda task, before: healthy(task, before) or (
        None if task["generation"] > before["generation"] else "was not restarted")}

    def request(self, _):
        return "task.restart", {"name": "a"}


class Add(Order):
    rules = {"a": untouched, "new": either(absent, healthy)}
    rules_answered = {"new": healthy}

    def request(self, daemon):
        return "task.add", {"name": "new", "spec": marked(daemon, TREE)}


class Remove(Order):
    rules = {"a": untouched, "added": either(absent, untouched)}
    rules_answered = {"added": absent}

    def prepare(self, daemon):
        daemon.rpc("task.add", {"name": "added", "spec": marked(daemon, TREE)})

    def request(self, _):
        return "task.remove", {"name": "added"}


class Reload(Order):
    rules = {"a": healthy, "gone": either(absent, untouched), "new": healthy}
    rules_answered = {"gone": absent}

    def tasks(self):
        return {**super().tasks(), "gone": TREE}

    def request(self, daemon):
        daemon.configure({"a": NEWER, "b": TREE, "idle": {**TREE, "autostart": False}, "new": TREE})
        return "daemon.reload", None


class Upgrade(Order):
    """The daemon goes on as another program: whichever of the two is killed, nothing has become of the tasks."""
    rules = {"a": untouched}

    def request(self, _):
        return "daemon.upgrade", None


class Crash(Scenario):
    """A task's main process is killed, and its policy starts it again."""
    rules = {"a": healthy}

    def tasks(self):
        return {**super().tasks(), "a": {**TREE, "restart": {"base_delay": "1ms", "jitter": 0}}}

    def act(self, daemon, client):
        try:
            before = client.call("task.status", {"name": "a"})["tasks"][0]
            os.kill(before["pid"], signal.SIGKILL)
            client.call("task.wait", {"name": "a", "for": "healthy"})
            while client.call("task.status", {"name": "a"})["tasks"][0]["generation"] == before["generation"]:
                time.sleep(0.005)
        except (ConnectionError, OSError):
            pass
        return False


class Shutdown(Scenario):
    rules = {"a": healthy, "b": healthy}

    def prepare(self, daemon):
        self.vigild = daemon.pid

    def act(self, daemon, _):
        # Once the mark is set anything that it does by itself may have met its end.
        if daemon.process.poll() is None and processes.alive(self.vigild):
            os.kill(self.vigild, signal.SIGTERM)
        daemon.process.wait(60)
        return False


class Boot(Scenario):
    """The daemon's own first start."""
    from_exec = True
    rules = {"a": healthy, "b": healthy,
             "idle": lambda task, _: None if task and task["status"] in ("created", "stopped") else "was started"}

    def act(self, daemon, _):
        eventually(lambda: daemon.process.poll() is not None or self.has_begun(daemon), what="the tasks run")
        return False

    def has_begun(self, daemon):
        # The keeper has the listening socket: a connection may be made that nobody will ever answer.
        try:
            with Client(daemon.socket, limit=0.1) as client:
                tasks = {task["name"]: task["status"] for task in client.call("task.status")["tasks"]}
        except (ConnectionError, OSError):
            return False
        return tasks.get("a") == "healthy" and tasks.get("b") == "healthy"


class TakeOver(Boot):
    """The start of a daemon after one that was killed: it finds everything, and is killed itself."""
    has_predecessor = True
    rules = {"a": untouched, "b": untouched, "idle": untouched}


SCENARIOS = {"boot": Boot, "take-over": TakeOver, "start": Start, "stop": Stop, "restart": Restart, "add": Add,
             "remove": Remove, "reload": Reload, "upgrade": Upgrade, "crash": Crash, "shutdown": Shutdown}
