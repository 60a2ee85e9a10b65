"""vigild without memory: operator new fails at one allocation after the other (vigil_failing_new) while one request of each
method is answered. What is one client's business ends with that client; a change that has begun has memory set by for it.
"""
import json
import mmap
import os
import struct

import cases
from cases import Skip, case, contains, eventually, main
from client import RpcError
from fault_scenarios import KEPT_UP, states
from harness import Daemon, beater, datagrams

# Reading ones, and what is refused or done aside before anything of the tasks changes.
REQUESTS = {
    "daemon.hello": None, "daemon.status": None, "daemon.check": None, "task.status": {"details": True}, "task.logs": {"name": "a"},
    "task.wait": {"name": "a", "for": "healthy"}, "events.subscribe": {"names": ["a", "b*"]}, "daemon.reload": {"dry_run": True},
    "task.signal": {"name": "a", "signal": "CONT"}, "task.add": {"name": "a", "spec": KEPT_UP},
}


class Starved(Daemon):
    """A Daemon whose allocations can be made to fail."""

    def __init__(self, tasks):
        super().__init__(tasks)
        if cases.PATIENCE != 1.0:
            raise Skip("a sanitizer has an operator new of its own")
        place = self.path("allocations")
        with open(place, "wb") as file:
            file.write(bytes(4096))
        self._file = open(place, "r+b")
        self._orders = mmap.mmap(self._file.fileno(), 4096)
        self._env = {"LD_PRELOAD": os.path.join(cases.BUILD, "tests/tools/libvigil_failing_new.so"), "VIGIL_FAILING_NEW": place}

    def fail(self, at, least=0, lasting=False):
        """The at-th allocation from here on of at least so many bytes, and where it is lasting all that follow; 0: none."""
        self._orders[0:8] = bytes(8)
        self._orders[8:40] = struct.pack("QQQQ", least, 0, 0, int(lasting))
        self._orders[0:8] = struct.pack("Q", at)

    def has_ended(self):
        """Or it answers. Its keeper has the socket: whoever connects to one that has ended waits."""
        def known():
            if self.process.poll() is not None:
                self.was_killed = True
                return True
            try:
                with self.client(limit=0.3) as client:
                    return client.call("daemon.hello")
            except (ConnectionError, OSError):
                return False
        return eventually(known, what="vigild answers, or has ended") is True

    def has_failed(self):
        return struct.unpack("Q", self._orders[24:32])[0] > 0


def ask(daemon, method, params, limit=20):
    """Whether it was answered; without memory the connection may end instead."""
    try:
        with daemon.client(limit=limit) as client:
            client.call(method, params)
        return True
    except RpcError:
        return True
    except TimeoutError:
        raise AssertionError(f"{method} was neither answered nor dropped") from None
    except (ConnectionError, OSError):
        return False


def starve(daemon, method, params, strides, before=lambda: None):
    """Lets one allocation after the other fail until the request needs no more of them. Gives how many failed."""
    failed, at = 0, 1
    while True:
        before()
        daemon.fail(at)
        try:
            answered = ask(daemon, method, params)
        except AssertionError as error:
            raise AssertionError(f"{error} (allocation {at})") from None
        met = daemon.has_failed()
        daemon.fail(0)
        assert daemon.process.poll() is None, f"{method}: vigild ended at allocation {at}"
        assert ask(daemon, "daemon.hello", None), f"{method}: nobody is answered after allocation {at}"
        if not met:
            assert answered, f"{method} was not answered"
            return failed
        failed += 1
        at += strides


@case(timeout=120)
def without_memory_for_a_request_that_client_is_told_or_dropped_and_vigild_and_its_tasks_go_on():
    with Starved({"a": KEPT_UP, "b": KEPT_UP}) as daemon:
        before = states(daemon)
        for method, params in REQUESTS.items():
            assert starve(daemon, method, params, 3) > 3, f"{method} allocates nothing"
        after = states(daemon)
        for name in before:
            cases.equal(after[name]["pid"], before[name]["pid"], f"the pid of {name}")
        contains(daemon.log, "out of memory")


@case(timeout=300)
def without_memory_at_any_point_of_a_change_at_most_that_request_ends_and_vigild_and_the_other_tasks_go_on():
    with Starved({"a": KEPT_UP, "b": KEPT_UP}) as daemon:
        b = daemon.status("b")["pid"]

        def ask_for(method, name="a"):
            return lambda: daemon.rpc(f"task.{method}", {"name": name})

        def without_c():
            if "c" in [task["name"] for task in daemon.rpc("task.status")["tasks"]]:
                daemon.rpc("task.remove", {"name": "c"})

        def with_c():
            without_c()
            daemon.rpc("task.add", {"name": "c", "spec": KEPT_UP})

        def one_added(number=iter(range(10_000))):
            daemon.config["tasks"] = {"a": KEPT_UP, "b": KEPT_UP, f"n{next(number)}": KEPT_UP}
            daemon.write_config(json.dumps(daemon.config))

        for method, params, before in (
                ("task.stop", {"name": "a"}, ask_for("start")), ("task.kill", {"name": "a"}, ask_for("start")),
                ("task.start", {"name": "a"}, ask_for("stop")), ("task.restart", {"name": "a"}, ask_for("start")),
                ("task.pause", {"name": "a"}, ask_for("start")), ("task.resume", {"name": "a"}, ask_for("start")),
                ("task.add", {"name": "c", "spec": KEPT_UP}, without_c), ("task.remove", {"name": "c"}, with_c),
                ("daemon.reload", {}, one_added)):
            assert starve(daemon, method, params, 1, before) > 10, f"{method} allocates nothing"
            daemon.rpc("task.resume", {"name": "a"})
            cases.equal(daemon.status("b")["pid"], b, f"the pid of b after {method}")
        ask_for("start")()
        eventually(lambda: daemon.status("a")["status"] == "healthy", what="a is healthy")


@case(timeout=120)
def without_any_memory_in_the_middle_of_a_change_of_a_task_vigild_goes_on_or_ends_at_once_and_the_next_has_every_task():
    with Starved({"a": KEPT_UP, "b": KEPT_UP}) as daemon:
        b = daemon.status("b")["pid"]
        ends = 0
        for at in range(1, 80, 9):
            daemon.fail(at, lasting=True)
            try:
                ask(daemon, "task.restart", {"name": "a"}, limit=1)
            except AssertionError:
                pass  # it has ended, or is slow: found out below
            daemon.fail(0)
            if daemon.has_ended():
                ends += 1
                daemon.start()
            eventually(lambda: daemon.status("a")["status"] == "healthy", what="a is healthy")
            after = daemon.status("b")
            cases.equal((after["pid"], after["status"]), (b, "healthy"), "b")
        assert ends > 0, "nothing was met in the middle of a change"
        # Said to be for want of memory; the alarm of every other case.
        contains(daemon.log, "bad_alloc")
        os.truncate(daemon.log_path, 0)


@case(timeout=120)
def without_memory_for_a_reload_it_is_refused_and_the_old_configuration_goes_on():
    with Starved({"a": KEPT_UP}) as daemon:
        pid = daemon.status("a")["pid"]
        daemon.config["tasks"] = {f"task{i}": KEPT_UP for i in range(3)}
        # The file is read in one piece: nothing else allocates as much.
        text = daemon_text(daemon, 100_000)
        daemon.write_config(text)
        daemon.fail(1, 50_000)
        with daemon.client() as client:
            error = client.refused("daemon.reload")
        daemon.fail(0)
        contains(error.message + str(error.data), "memory")
        cases.equal(daemon.status("a")["pid"], pid, "the pid of the task")


def daemon_text(daemon, padding):
    return json.dumps({**daemon.config, "x-padding": "p" * padding})


@case(timeout=60)
def without_memory_for_a_datagram_that_is_dropped_and_counted():
    with Starved({"a": {**beater(timeout="20s"), "heartbeat": {"timeout": "20s", "access": "all"}}}) as daemon:
        eventually(lambda: daemon.status("a")["status"] == "healthy", what="a is healthy")
        dropped = daemon.rpc("daemon.status")["dropped"]["notify_malformed"]
        sender = datagrams(daemon.notify_socket("a"))
        daemon.fail(1, 200)
        sender.send(b"STATUS=" + b"s" * 250 + b"\nX=" + b"x" * 2000)
        eventually(daemon.has_failed, what="it is met")
        daemon.fail(0)
        eventually(lambda: daemon.rpc("daemon.status")["dropped"]["notify_malformed"] > dropped, what="it is counted")
        cases.equal(daemon.status("a")["status"], "healthy", "the task")


if __name__ == "__main__":
    main()
