#!/usr/bin/env python3
"""Many tasks that print and beat, and a daemon that is killed again and again: nothing of it may reach them.

    kills.py --vigild PROGRAM --vigilctl PROGRAM --build DIR [--tasks 1000] [--kills 10] [--sleepers N] [--no-keeper-kill]

Each task numbers its lines and notes every write and every beat that fails. At the end there is for each task the process
and the generation that there was at the beginning, every line in order, no failure noted, and of those that ended while no daemon lived the
last words. Prints how long the next daemon took from its start until it showed all tasks. With --sleepers that many tasks that only sleep are
taken over once, for that figure alone.
"""
import argparse
import json
import os
import random
import re
import signal
import sys
import time

import cases
import processes
from cases import equal, eventually
from client import Client
from harness import Daemon
from killed import kill, kill_and_start, states
from logs import log_of, text_of

# Asked to end while no daemon lives, one in so many at each kill.
ENDING_SHARE = 20


def steady(rate, tell):
    return [os.path.join(cases.BUILD, "tests/e2e/workers/steady"), str(rate), tell]


def keeper_of(daemon):
    """The pid of the keeper of this daemon; nothing while there is none."""
    place = os.path.join(daemon.runtime_dir, "keeper.sock")
    if not os.path.exists(place):
        return None
    found = [pid for pid in processes.descendants(os.getpid()) if processes.command_line(pid) == "vigil-keeper" and processes.alive(pid)]
    return found[0] if len(found) == 1 else None


def kill_keeper(daemon):
    """Kills the keeper, and waits until another holds everything."""
    told = daemon.log.count("a new keeper holds everything again")
    os.kill(eventually(lambda: keeper_of(daemon), what="there is a keeper"), signal.SIGKILL)
    eventually(lambda: daemon.log.count("a new keeper holds everything again") > told, limit=60, what="the keeper is replaced")


def take_over(daemon, wanted):
    """Starts the next daemon. Gives the seconds until it shows `wanted` tasks as healthy."""
    begin = time.monotonic()
    daemon.start()

    def shown():
        # Whoever asks before it is ready is answered when it is: the keeper has the socket.
        try:
            with Client(daemon.socket, limit=60 * cases.PATIENCE) as client:
                return client.call("daemon.status")["tasks"]["healthy"] >= wanted
        except (FileNotFoundError, ConnectionError):
            return False
    eventually(shown, limit=60, what=f"{wanted} tasks are healthy again")
    return time.monotonic() - begin


def check_lines(name, text):
    """Every number from 0 on is there, in order. Gives how many there are, how many lines came again after a kill, and what the
    last words say."""
    expected, previous, again, last = 0, -1, 0, None
    for line in text.splitlines():
        found = re.fullmatch(r"(line|last) (\d+)", line)
        if not found:
            # A write that was cut off by a kill; what it was about follows.
            previous = None
            continue
        number = int(found[2])
        if found[1] == "last":
            last = number
            continue
        assert number <= expected, f"{name}: {number} where {expected} was due"
        assert number == expected or previous is None or number <= previous + 1, f"{name}: {number} after {previous}"
        again += number < expected
        expected = max(expected, number + 1)
        previous = number
    return expected, again, last


def check_to_the_end(name, text):
    """The same for one that has ended: all that it printed. Gives how many lines came again."""
    count, again, last = check_lines(name, text)
    equal(last, count, f"{name}: what its last words say")
    return again


def run(tasks=1000, kills=10, rate=4, kill_the_keeper=True, report=lambda text: None):
    """Gives how many lines came again."""
    daemon = Daemon(daemon={"max_starting": 200}, wait=False)
    names = [f"t{number}" for number in range(tasks)]
    ending = [f"e{number}" for number in range(max(1, tasks // ENDING_SHARE) * kills)]
    told = {name: daemon.path(f"told-{name}") for name in names + ending}
    common = {"ready": {"on": "notify"}, "heartbeat": {"timeout": "10s"}, "restart": {"policy": "never"}}
    daemon.config["tasks"] = {name: {**common, "command": steady(rate, told[name])} for name in told}
    daemon.write_config(json.dumps(daemon.config))
    with daemon:
        wanted = len(told)
        eventually(lambda: os.path.exists(daemon.socket), what="the control socket")
        eventually(lambda: daemon.rpc("daemon.status")["tasks"]["healthy"] == wanted, limit=120, what="all run")
        before = {task["name"]: task for task in daemon.rpc("task.status")["tasks"]}
        taken = []
        left = list(ending)
        for round in range(kills):
            if kill_the_keeper and round == kills // 2:
                kill_keeper(daemon)
            time.sleep(random.uniform(0.05, 0.3))
            kill(daemon)
            end, left = left[:len(ending) // kills], left[len(ending) // kills:]
            for name in end:
                os.kill(before[name]["pid"], signal.SIGUSR1)
            eventually(lambda: not any(processes.alive(before[name]["pid"]) for name in end), what="they have ended")
            for name in end:
                os.waitpid(before[name]["pid"], 0)
            wanted -= len(end)
            taken.append(take_over(daemon, wanted))
        taken.sort()
        report(f"{tasks} tasks, {kills} kills: shown again after {1000 * taken[len(taken) // 2]:.0f} ms (median), "
               f"{1000 * taken[-1]:.0f} ms (longest) from the start of the next daemon")
        now = {task["name"]: task for task in daemon.rpc("task.status")["tasks"]}
        for name in names:
            same = [(found[name]["status"], found[name]["pid"], found[name]["generation"], found[name]["restarts_total"])
                    for found in (before, now)]
            equal(same[1], same[0], name)
            equal(now[name]["cause"]["kind"], "adopted", name)
        for name in ending:
            # What a gone process has left behind is looked for in the first moments of a daemon.
            ended = eventually(lambda: (task := daemon.status(name))["status"] in ("completed", "dead") and task,
                               what=f"{name} has ended")
            equal(ended["generation"], 1, f"the generation of {name}")
        equal(daemon.ctl("stop", "t*", limit=120).code, 0, "stop")
        again = sum(check_to_the_end(name, eventually(lambda: (found := text_of(log_of(daemon, name))).find("last ") >= 0 and found,
                                                 what=f"the last words of {name}")) for name in told)
        for name, path in told.items():
            assert not os.path.exists(path), f"{name} saw: {open(path).read()}"
    return again


def sleepers(tasks, report):
    daemon = Daemon(wait=False)
    daemon.config["tasks"] = {f"s{number}": {"command": steady(0, "-")} for number in range(tasks)}
    daemon.write_config(json.dumps(daemon.config))
    with daemon:
        eventually(lambda: os.path.exists(daemon.socket), what="the control socket")
        eventually(lambda: daemon.rpc("daemon.status")["tasks"]["healthy"] == tasks, limit=300, what="all run")
        taken = []
        for _ in range(3):
            kill(daemon)
            taken.append(take_over(daemon, tasks))
        report(f"{tasks} sleepers: shown again after {1000 * sorted(taken)[1]:.0f} ms (median of 3)")
        equal(sum(task["generation"] != 1 for task in daemon.rpc("task.status")["tasks"]), 0, "tasks that were started anew")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("vigild", "vigilctl", "build"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--sleepers", type=int, default=0)
    parser.add_argument("--no-keeper-kill", action="store_true")
    options = parser.parse_args()
    cases.VIGILD, cases.VIGILCTL, cases.BUILD = map(os.path.abspath, (options.vigild, options.vigilctl, options.build))

    def report(text):
        print(text, flush=True)
    if options.sleepers:
        return sleepers(options.sleepers, report)
    again = run(options.tasks, options.kills, kill_the_keeper=not options.no_keeper_kill, report=report)
    report(f"no line is missing, {again} came twice; no task saw an error or was judged silent")


if __name__ == "__main__":
    sys.exit(main())
