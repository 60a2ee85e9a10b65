"""Many tasks, much trouble, for minutes: tasks that beat once a second, of which one in a hundred is killed every second, some fall
silent, and operators that give a hundred orders a second. Prints whether verdicts came, and came in time; what the operators waited;
how long the turns of the daemon's loop took; and its memory. Exits with 1 where a target is missed.
"""
import argparse
import collections
import json
import multiprocessing
import os
import random
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TIMEOUT = 5.0  # of a heartbeat
SILENCED_A_SECOND = 5
# What the daemon needs beside two descriptors a task: clients, libraries, its own.
RESERVED = 200
OPERATORS = 10
TARGETS = {"control p99": 20.0, "turn p99": 5.0}  # ms


class Control:
    """One connection; a line of JSON each way."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rb")

    def send(self, method, **params):
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def read(self):
        return json.loads(self.lines.readline())

    def call(self, method, **params):
        self.send(method, **params)
        answer = self.read()
        if "error" in answer:
            raise RuntimeError(f"{method} {params}: {answer['error']['message']}")
        return answer["result"]


def quantile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def proportional_size(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def operate(path, names, rate, until, results):
    """One operator: orders at a steady rate, whatever the one before took. Tells what each waited, in ms."""
    control, waited = Control(path), collections.defaultdict(list)
    chance = random.Random(os.getpid())
    due = time.monotonic() + chance.random() / rate
    while due < until:
        time.sleep(max(0.0, due - time.monotonic()))
        kind = chance.choices(["status", "restart", "daemon", "new client"], [80, 10, 5, 5])[0]
        began = time.monotonic()
        if kind == "new client":
            control = Control(path)
        if kind == "daemon":
            control.call("daemon.status")
        elif kind == "restart":
            control.call("task.restart", name=chance.choice(names), wait=False)
        else:
            control.call("task.status", name=chance.choice(names))
        waited[kind].append((time.monotonic() - began) * 1e3)
        due += 1 / rate
    results.put(dict(waited))


class Trouble:
    """Kills and silences tasks, and compares what the daemon says of them with what befell them."""

    def __init__(self, path, tell, names):
        self.events = Control(path)
        self.events.call("events.subscribe")
        self.tell = tell
        self.names, self.pids = names, {}
        self.silenced, self.due = {}, {}  # by pid: task; by task: when the verdict is due
        self.late, self.false, self.deaths, self.back = [], [], {}, []
        self.buffer = b""

    def look(self, until):
        """Reads what happens, to the moment `until`."""
        events = self.events.socket
        while (left := until - time.monotonic()) > 0:
            for ready in select.select([events, self.tell], [], [], left)[0]:
                if ready is self.tell:
                    pid, moment = self.tell.recv(100).split()
                    if int(pid) in self.silenced:
                        self.due[self.silenced[int(pid)]] = int(moment) / 1e9 + TIMEOUT
                    continue
                self.buffer += events.recv(1 << 20)
                now = time.monotonic()
                *lines, self.buffer = self.buffer.split(b"\n")
                for line in lines:
                    self.happened(json.loads(line)["params"], now)

    def happened(self, event, now):
        name, state, cause = event["name"], event["to"], (event["cause"] or {}).get("kind")
        if state == "healthy":
            self.pids[name] = event["pid"]
            if name in self.deaths:
                self.back.append(now - self.deaths.pop(name))
        if state == "stopping" and cause in ("heartbeat-timeout", "ready-timeout"):
            if name in self.due:
                self.late.append(now - self.due.pop(name))
            else:
                self.false.append(name)
        elif state != "healthy":
            self.due.pop(name, None)  # an operator was quicker

    def make(self, chance, kills):
        live = [name for name in self.pids if name not in self.due]
        for number, name in enumerate(chance.sample(live, min(len(live), kills + SILENCED_A_SECOND))):
            pid = self.pids.pop(name)
            try:
                if number < SILENCED_A_SECOND:
                    self.silenced[pid] = name
                    os.kill(pid, signal.SIGUSR1)
                else:
                    self.deaths[name] = time.monotonic()
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # an operator was quicker


class Daemon:
    def __init__(self, build, count):
        # In memory, as /run is: on a disk every notify socket waits for the journal of the file system.
        self.place = tempfile.mkdtemp(prefix="vs", dir="/dev/shm" if os.path.isdir("/dev/shm") else "/tmp")
        self.socket, self.tell_path = self.place + "/r/control.sock", self.place + "/tell"
        self.tell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.tell.bind(self.tell_path)
        self.names = [f"t{number}" for number in range(count)]
        spec = {"command": [os.path.abspath(f"{build}/bench/scale/pulse"), self.tell_path]}
        config = {"version": 1,
                  "daemon": {"runtime_dir": self.place + "/r", "state_dir": self.place + "/s", "log_dir": self.place + "/l",
                             "log": {"level": "error"}},
                  "defaults": {"output": {"to": "null"}, "stop": {"timeout": "2s"}, "rlimits": {"core": 0},
                               "heartbeat": {"timeout": f"{TIMEOUT:g}s", "initial_delay": "60s"},
                               "restart": {"policy": "always", "base_delay": "100ms", "max_delay": "100ms", "max_attempts": None}},
                  "tasks": {name: spec for name in self.names}}
        with open(self.place + "/vigil.json", "w") as file:
            json.dump(config, file)
        self.log = open(self.place + "/log", "w+")
        self.began = time.monotonic()
        self.process = subprocess.Popen([f"{build}/daemon/vigild", "-c", self.place + "/vigil.json"], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)

    def wait_until_healthy(self, limit=300):
        while time.monotonic() < self.began + limit:
            try:
                status = Control(self.socket).call("daemon.status")
                if status["tasks"]["healthy"] == len(self.names):
                    return time.monotonic() - self.began
            except (FileNotFoundError, ConnectionError):
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.log.seek(0)
        raise SystemExit(f"vigild has not brought its tasks up:\n{self.log.read()[-2000:]}")

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(120)
        shutil.rmtree(self.place)


def measure(daemon, seconds, rate):
    """Gives the lines of the report and the figures that have a target."""
    trouble = Trouble(daemon.socket, daemon.tell, daemon.names)
    for task in Control(daemon.socket).call("task.status")["tasks"]:
        trouble.pids[task["name"]] = task["pid"]
    results, until = multiprocessing.Queue(), time.monotonic() + seconds
    operators = [multiprocessing.Process(target=operate, args=(daemon.socket, daemon.names, rate / OPERATORS, until, results))
                 for _ in range(OPERATORS)]
    for operator in operators:
        operator.start()
    chance, kills = random.Random(1), max(1, len(daemon.names) // 100)
    deepest, turn_p99 = collections.Counter(), 0.0
    watcher, due = Control(daemon.socket), time.monotonic()
    while due < until:
        trouble.make(chance, kills)
        due += 1.0
        trouble.look(due)
        status = watcher.call("daemon.status")
        turn_p99 = max(turn_p99, status["loop"]["recent_turns"]["p99_us"] / 1e3)
        for queue, depth in status["queues"].items():
            deepest[queue] = max(deepest[queue], depth)
    waited = collections.defaultdict(list)
    for _ in operators:
        for kind, values in results.get().items():
            waited[kind] += values
    for operator in operators:
        operator.join()
    trouble.look(time.monotonic() + TIMEOUT + 1)
    return report(daemon, trouble, waited, status, turn_p99, deepest)


def report(daemon, trouble, waited, status, turn_p99, deepest):
    every = [value for values in waited.values() for value in values]
    late = [value * 1e3 for value in trouble.late]
    back = [value * 1e3 for value in trouble.back]
    loop = status["loop"]
    keeper = proportional_size(status["keeper_pid"]) if status["keeper_pid"] else 0
    size = proportional_size(daemon.process.pid)
    lines = [
        f"verdicts: {len(late)} due and given, after their time by p50 {quantile(late, .5):.2f}, p99 {quantile(late, .99):.2f}, "
        f"at most {max(late, default=0):.2f} ms (as an event reaches a reader); {len(trouble.due)} due and missing; "
        f"{len(trouble.false)} false",
        f"killed and up again (base_delay 100ms): {len(back)}, p50 {quantile(back, .5):.1f}, p99 {quantile(back, .99):.1f} ms; "
        f"{len(trouble.deaths)} not seen up again",
        *(f"order \"{kind}\": {len(values)}, p50 {quantile(values, .5):.2f}, p99 {quantile(values, .99):.2f}, "
          f"at most {max(values):.2f} ms" for kind, values in sorted(waited.items())),
        f"all orders: p50 {quantile(every, .5):.2f}, p99 {quantile(every, .99):.2f} ms",
        f"turns of the loop: {loop['turns']['count']}, p50 {loop['turns']['p50_us']} us, p99 {loop['turns']['p99_us']} us, "
        f"longest {loop['turns']['max_us']} us (the start included); worst p99 of a minute: {turn_p99:.2f} ms",
        f"timers late by p50 {loop['timer_lateness']['p50_us']} us, p99 {loop['timer_lateness']['p99_us']} us",
        "deepest queues, once a second: " + ", ".join(f"{depth} {queue}" for queue, depth in deepest.items()),
        f"memory: vigild {size} KiB, keeper {keeper} KiB: {(size + keeper) / len(daemon.names):.2f} KiB a task",
    ]
    return lines, {"control p99": quantile(every, 0.99), "turn p99": turn_p99}, len(trouble.due) + len(trouble.false)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--rate", type=float, default=100, help="operators' orders a second")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))
    most = (hard - RESERVED) // 2 if hard > 0 else arguments.tasks
    count = min(arguments.tasks, most)
    if count < arguments.tasks:
        print(f"{count} tasks instead of {arguments.tasks}: the hard limit of {hard} open files allows no more")
    daemon = Daemon(arguments.build, count)
    try:
        print(f"{count} tasks up after {daemon.wait_until_healthy():.1f} s; {arguments.seconds:g} s of trouble on {os.cpu_count()} "
              f"cores, load {os.getloadavg()[0]:.1f}", flush=True)
        lines, figures, wrong = measure(daemon, arguments.seconds, arguments.rate)
    finally:
        daemon.end()
    print("\n".join(lines))
    missed = [f"{name} {figures[name]:.2f} ms, wanted {target:g}" for name, target in TARGETS.items() if figures[name] > target]
    if wrong:
        missed.append(f"{wrong} verdicts missing or false")
    print("missed: " + "; ".join(missed) if missed else "every target reached")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
