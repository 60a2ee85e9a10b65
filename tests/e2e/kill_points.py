"""kill -9 of vigild at a system call of one's choice, and what the next vigild makes of it: `make kill-points` tries every
call of every scenario of kill_scenarios.py, kill_points_test.py some of them.

One point is: a directory of its own, some tasks, a vigild under vigil_kill_at, the order, the kill, a vigild without a
tracer, and the scenario's rules.
"""
import argparse
import json
import multiprocessing
import os
import signal
import sys
from collections import Counter

import cases
import processes
from cases import eventually
from cgroups import Cgroup
from harness import Daemon
from kill_scenarios import SCENARIOS, marked


class Point:
    """Where to kill: at the entry of call number `call`, or at its exit. 0 counts the calls instead."""

    def __init__(self, call, at_exit=False):
        self.call, self.at_exit = call, at_exit

    def __str__(self):
        return f"{self.call}:exit" if self.at_exit else str(self.call)


class Traced(Daemon):
    """A Daemon whose next start is under vigil_kill_at while `point` is set."""

    def __init__(self, tasks, around):
        super().__init__(around=around, daemon={} if around else {"cgroup": "off"})
        self.configure(tasks)
        self.report = self.path("report")
        self.point, self.from_exec = None, False

    def configure(self, tasks):
        self.config["tasks"] = {name: marked(self, spec) for name, spec in tasks.items()}
        self.write_config(json.dumps(self.config))

    def start(self):
        traced = self.point is not None
        tool = os.path.join(cases.BUILD, "tests/tools/vigil_kill_at")
        self._wrap = [tool, self.report, ("+" if self.from_exec else "") + str(self.point)] if traced else []
        self._wait = not (traced and self.from_exec)
        super().start()

    def told(self, word):
        """The words of the report's line that begins with this one."""
        try:
            with open(self.report) as file:
                return next((line.split() for line in file if line.split()[:1] == [word]), None)
        except FileNotFoundError:
            return None

    def mark(self):
        os.kill(self.process.pid, signal.SIGUSR1)
        eventually(lambda: self.told("marked"), what="every thread is traced")

    def end_traced(self):
        """Whoever has not been killed by now is."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGUSR2)
        self.process.wait(60 * cases.PATIENCE)
        self.point, self.was_killed = None, True


def states(daemon):
    return {task["name"]: task for task in daemon.rpc("task.status")["tasks"]}


def try_point(name, point, cgroup=False):
    """Kills at one point. Gives the call that it met (None: the story was over before) and how many were counted."""
    if not cgroup:
        return run_story(SCENARIOS[name](), point, [])
    with Cgroup() as own:
        outcome = run_story(SCENARIOS[name](), point, own.wrap)
        assert not own.below(), f"cgroups are left: {own.below()}"
        return outcome


def run_story(scenario, point, around):
    daemon = Traced(scenario.tasks(), around)
    daemon.from_exec = scenario.from_exec
    if not scenario.has_predecessor:
        daemon.point = point
    with daemon:
        before = {}
        if scenario.has_predecessor or not scenario.from_exec:
            scenario.prepare(daemon)
            before = states(daemon)
        if scenario.has_predecessor:
            daemon.process.kill()
            daemon.process.wait()
            daemon.point = point
            daemon.start()
        if scenario.from_exec:
            answered = scenario.act(daemon, None)
        else:
            # Before the mark: once it is killed, the keeper has the listening socket, and nobody would answer.
            with daemon.client() as client:
                client.call("daemon.hello")
                daemon.mark()
                answered = scenario.act(daemon, client)
        daemon.end_traced()
        killed, counted = daemon.told("killed"), daemon.told("counted")
        daemon.start()
        try:
            problem = [None]

            def right():
                problem[0] = scenario.problem(daemon, before, answered)
                return problem[0] is None
            eventually(right, what="what the next vigild makes of it is right")
        except AssertionError:
            raise AssertionError(f"{problem[0]} (the order was {'' if answered else 'not '}answered)") from None
    return " ".join(killed[2:]) if killed else None, int(counted[1]) if counted else None


def points(calls, stride=1, begin=1):
    """Entry and exit of each call, or every stride-th of these."""
    every = [Point(call, at_exit) for call in range(begin, calls + 1) for at_exit in (False, True)]
    return every[stride // 2::stride]


# The whole walk: make kill-points

def begin_worker():
    processes.become_subreaper()
    sys.stderr = sys.stdout = open(os.devnull, "w")


def job(work):
    name, point, cgroup = work
    try:
        return str(point), try_point(name, point, cgroup)[0], None
    except Exception as error:
        return str(point), None, f"{type(error).__name__}: {error}"


def walk(name, options, pool):
    """How many kills, how many points beyond the end of the story, and the faulty points."""
    calls = try_point(name, Point(0), options.cgroup)[1]
    work = [(name, point, options.cgroup) for point in points(calls, options.stride, options.begin)]
    met, faults = Counter(), []
    for done, (point, call, fault) in enumerate(pool.imap_unordered(job, work), 1):
        met[call] += 1
        if fault:
            faults.append(point)
            print(f"{name}: FAULT at {point}: {fault}", flush=True)
        if done % 50 == 0 or done == len(work):
            print(f"{name}: {done:,} of {len(work):,} points, {len(faults)} faults", flush=True)
    return len(work) - met[None], met[None], faults


def main():
    parser = argparse.ArgumentParser(description="Kills vigild at every system call of every scenario.")
    parser.add_argument("--build", required=True, help="the directory of the build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this one; may be repeated")
    parser.add_argument("--from", type=int, default=1, dest="begin", metavar="CALL", help="the first call of each scenario")
    parser.add_argument("--cgroup", action="store_true", help="with a cgroup for each task, else without any")
    parser.add_argument("--stride", type=int, default=1, metavar="N", help="only every Nth point")
    parser.add_argument("--only", metavar="CALL[:exit]", help="this one point, with everything there is to say about it")
    arguments = parser.parse_args()
    cases.BUILD = os.path.abspath(arguments.build)
    cases.VIGILD = os.path.join(cases.BUILD, "daemon/vigild")
    cases.VIGILCTL = os.path.join(cases.BUILD, "daemon/ctl/vigilctl")
    names = arguments.scenario or list(SCENARIOS)
    if arguments.only:
        call, _, where = arguments.only.partition(":")
        for name in names:
            met = try_point(name, Point(int(call), where == "exit"), arguments.cgroup)[0]
            print(f"{name}: killed at {met or 'the end'}: no fault")
        return
    killed, past, faults = 0, 0, []
    with multiprocessing.Pool(arguments.jobs, begin_worker) as pool:
        for name in names:
            more = walk(name, arguments, pool)
            killed, past = killed + more[0], past + more[1]
            faults += [f"{'--cgroup ' if arguments.cgroup else ''}--scenario {name} --only {point}" for point in more[2]]
    print(f"{killed:,} kills, {past:,} points that the story did not reach, {len(faults)} faults")
    if faults:
        print("to see one again: " + "\n  ".join(["", *faults]))
        sys.exit(1)


if __name__ == "__main__":
    main()
