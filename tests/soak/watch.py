"""What is seen from outside while a soak goes on: every event, and from time to time memory and descriptors."""
import os
import socket
import statistics
import time

import kills
import processes
from client import Client, RpcError


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def kinds_of_descriptors(pid, but_for=None):
    """How many of each kind a process has open; pidfds of `but_for` do not count."""
    kinds = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{number}")
            if "pidfd" in target and pid_of_pidfd(pid, number) == but_for:
                continue
        except OSError:
            continue
        # "socket:[4711]", "anon_inode:[pidfd]", "/dev/null"
        kind = target.split(":")[0] if target.startswith(("socket:", "pipe:")) else os.path.basename(target)
        kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def pid_of_pidfd(pid, number):
    with open(f"/proc/{pid}/fdinfo/{number}") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("Pid:")), None)


# In seconds. Before that every new task and client finds something that was never needed yet.
SHORTEST_TREND = 60


class Recorder:
    """A subscriber to all events that comes again whenever its connection ends."""

    def __init__(self, stage):
        self.stage = stage
        self.events = []  # (number of the connection, event)
        self.connections = 0

    def step(self):
        """One connection from its beginning to its end."""
        last = None
        try:
            with Client(self.stage.daemon.socket, limit=60) as client:
                client.call("events.subscribe")
                self.connections += 1
                while not self.stage.over.is_set():
                    try:
                        message = client.line(limit=0.5)
                    except socket.timeout:
                        continue
                    if message is None:
                        return
                    event = message["params"]
                    if last is not None and event["seq"] != last + 1:
                        self.stage.fault(f"event {event['seq']} came after {last}")
                    last = event["seq"]
                    self.events.append((self.connections, event))
        except (ConnectionError, FileNotFoundError, RpcError):
            time.sleep(0.01)


class Sampler:
    """Samples of vigild and its keeper: (time, phase, pid, PSS in KiB, descriptors, restarts so far)."""

    def __init__(self, stage, recorder, every):
        self.stage, self.recorder, self.every = stage, recorder, every
        self.phase = "all"
        self.samples = {"vigild": [], "keeper": []}

    def step(self):
        self.stage.over.wait(self.every)
        if self.stage.over.is_set() or not self.stage.daemon_lives.is_set():
            return
        restarts = len(self.recorder.events)
        for who, pid in (("vigild", self.stage.daemon.process.pid), ("keeper", kills.keeper_of(self.stage.daemon))):
            try:
                sample = (time.monotonic(), self.phase, pid, pss_kib(pid), len(processes.descriptors(pid)), restarts)
            except (OSError, StopIteration):
                continue  # just killed
            self.samples[who].append(sample)

    def last(self, who):
        return self.samples[who][-1] if self.samples[who] else (0, "", 0, 0, 0, 0)

    def trend(self, who):
        """Of the samples of the last process of its kind, without the first sixth in which it warms up: medians of PSS in the
        second and the last third, and the events between the middles of the two."""
        mine = [sample for sample in self.samples[who] if sample[2] == self.samples[who][-1][2]]
        mine = mine[len(mine) // 6:]
        if mine[-1][0] - mine[0][0] < SHORTEST_TREND:
            return None
        third = len(mine) // 3
        second, last = mine[third:2 * third], mine[2 * third:]
        return (statistics.median(sample[3] for sample in second), statistics.median(sample[3] for sample in last),
                last[len(last) // 2][5] - second[len(second) // 2][5])
