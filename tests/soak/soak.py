#!/usr/bin/env python3
"""Hundreds of tasks with random lives, operators, reloads, daemons that are killed, stopped and upgraded; and what must be so after it.

    soak.py --vigild PROGRAM --vigilctl PROGRAM --build DIR [--minutes 30] [--tasks 500] [--seed N] [--no-cgroup] [--keep]

In the first half everything happens, in the second the daemon lives, so that its memory has a trend. Then all comes to rest, and what
the tasks have noted (see life.c), the daemon's log and /proc are compared. The same seed has the same tasks, lives and acts in the same
order; how they meet is the machine's. The last line is "N passed, N failed"; after a failure the directory stays.
"""
import argparse
import os
import random
import sys
import time
from contextlib import nullcontext

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import cases  # noqa: E402
import checks  # noqa: E402
import fate  # noqa: E402
import operators  # noqa: E402
import story  # noqa: E402
import watch  # noqa: E402
from cases import eventually  # noqa: E402
from cgroups import Cgroup  # noqa: E402
from killed import kill  # noqa: E402
from stage import Stage  # noqa: E402


def say(text):
    print(text, flush=True)


class Soak:
    def __init__(self, stage, seconds, pace, acts_per_second, every=10.0):
        self.stage, self.seconds, self.every = stage, seconds, every
        self.recorder = watch.Recorder(stage)
        self.sampler = watch.Sampler(stage, self.recorder, every=min(2.0, seconds / 60))
        self.fate = fate.Fate(stage, pace)
        self.acts_per_second = acts_per_second
        self.figures = {}

    # What happens

    def run(self):
        stage = self.stage
        begin = time.monotonic()
        stage.answers()
        stage.begin("reaper", stage.reap, stage.gone)
        for name, action in (("recorder", self.recorder.step), ("sampler", self.sampler.step)):
            stage.begin(name, action, stage.over)
        try:
            operators.begin(stage, 6, self.acts_per_second)
            stage.begin("fate", self.fate.step, stage.quiet)
            self.watch_until(begin + self.seconds / 2)
            self.fate.kinds = fate.ONE_LIFE
            self.watch_until(begin + self.seconds)
            say("everybody comes to rest")
            stage.end(stage.quiet)
            self.come_to_rest()
        finally:
            stage.end(stage.quiet)
            stage.end(stage.over)

    def watch_until(self, end):
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.every))
            self.progress()

    def progress(self):
        stage = self.stage
        try:
            with stage.daemon.client(limit=10) as client:
                by_state = client.call("daemon.status")["tasks"]
        except (OSError, ConnectionError):
            by_state = {}
        states = " ".join(f"{state} {count}" for state, count in by_state.items() if count and state != "total")
        orders = sum(count for _, count in stage.counts.items("order "))
        vigild, keeper = self.sampler.last("vigild"), self.sampler.last("keeper")
        starts = sum(event["to"] == "starting" for _, event in self.recorder.events)
        say(f"{time.strftime('%H:%M:%S')} {states or 'no answer'} | starts {starts} kills {stage.counts['daemon killed']} "
            f"upgrades {stage.counts['upgrades']} stops {stage.counts['daemon stopped']} "
            f"reloads {stage.counts['reloads']} (broken {stage.counts['broken reloads']}) keepers {stage.counts['keeper killed']} "
            f"orders {orders} | vigild {vigild[3]} KiB {vigild[4]} fds, keeper {keeper[3]} KiB {keeper[4]} fds")

    def come_to_rest(self):
        """Every task of the configuration runs, and goes on."""
        stage = self.stage
        with open(os.path.join(stage.ledgers, "calm"), "w"):
            pass
        stage.tasks = dict(stage.first_tasks)
        stage.write(stage.tasks)
        with stage.daemon.client(limit=120) as client:
            eventually(lambda: self.accepted(client, "daemon.reload", {}), limit=60, what="the reload is taken")
        self.all_healthy()

    @staticmethod
    def accepted(client, method, params):
        try:
            client.call(method, {**params, "wait": False})
        except Exception as error:  # noqa: BLE001, Busy is what may be
            if getattr(error, "kind", "") != "Busy":
                raise
            return False
        return True

    def all_healthy(self):
        def healthy():
            with self.stage.daemon.client(limit=60) as client:
                tasks = client.call("task.status")["tasks"]
                if paused := [task["name"] for task in tasks if task["paused"]]:
                    client.call("task.resume", {"name": paused})
                # Who was killed or has used up its attempts is helped; who only waits for its restart is not.
                if idle := [task["name"] for task in tasks if task["status"] in ("stopped", "dead", "completed", "created")]:
                    client.call("task.start", {"name": idle, "wait": False})
                # One that fell silent just now is healthy until its time is up.
                return (all(task["status"] == "healthy" and not task["paused"] for task in tasks)
                        and not checks.last_lives(tasks, story.ledgers(self.stage.ledgers)))
        eventually(healthy, limit=120, what="all tasks are healthy and beat")

    # What must be so

    def check_running(self, the):
        stage = self.stage
        status = stage.daemon.rpc("task.status")["tasks"]
        the("no zombie is below vigild", eventually_none(lambda: checks.zombies(stage)))
        the("every process that bears a run's marks belongs to a run", checks.left_processes(stage, status))
        the("each running generation has its notify socket, and nobody else", checks.notify_sockets(stage, status))
        if stage.cgroup:
            the("each running generation has its cgroup, and nobody else", checks.cgroups(stage, status))
        the("the runtime directory holds what is known", checks.runtime_files(stage))
        the("the log directory holds what is known", checks.log_files(stage))
        for who, most in (("vigild", 256), ("keeper", 64)):
            text, wrong = checks.trend(self.sampler, who, most)
            if text:
                self.figures[f"memory of {who}"] = text.partition(": ")[2]
                the(f"the memory of {who} has come to an end", wrong)

    def check_descriptors(self, the):
        """A daemon that has lived long has as many descriptors as the one that takes its tasks over, or goes on from it."""
        before = self.settled_descriptors()
        kill(self.stage.daemon)
        self.stage.daemon.start()
        self.stage.answers()
        self.all_healthy()
        taken_over = self.descriptors_like(before)
        done = self.stage.daemon.ctl("upgrade")
        the("the last upgrade is done", [] if done.code == 0 else [done])
        gone_on = self.descriptors_like(taken_over)
        for who in before:
            self.figures[f"descriptors of {who}"] = f"{sum(before[who].values())}: {before[who]}"
            the(f"the descriptors of {who} are those of one that takes over", differ(before[who], taken_over[who]))
            the(f"the descriptors of {who} are those of one that goes on", differ(taken_over[who], gone_on[who]))

    def settled_descriptors(self):
        """Once the connections that were just closed are forgotten."""
        seen = []

        def settled():
            seen.append(checks.descriptors_of_both(self.stage))
            return seen[-20:] == [seen[-1]] * 20
        eventually(settled, what="the descriptors settle")
        return seen[-1]

    def descriptors_like(self, wanted):
        """Those at once when they are the wanted ones, or what they are in the end."""
        now = [None]

        def same():
            now[0] = checks.descriptors_of_both(self.stage)
            return now[0] == wanted
        try:
            eventually(same, limit=10)
        except AssertionError:
            pass
        return now[0]

    def check_accounts(self, the):
        stage, figures = self.stage, self.figures
        status = stage.daemon.rpc("task.status")["tasks"]
        lives_of = story.ledgers(stage.ledgers)
        log = story.Log(stage.daemon.log_path)
        the("every run in the ledgers was announced, in order", story.match(log, lives_of))
        figures["runs"] = sum(map(len, lives_of.values()))
        figures["daemons"] = log.daemons
        the("no task has an older generation after a newer one", log.backwards)
        figures["removals cut short by a kill"] = log.removals_cut_short
        figures["runs that ended before they could say anything"], wrong = checks.runs_without_life(stage, log)
        the("no task was said to be healthy without a run", wrong)
        the("no task had two main processes at once", checks.said(lives_of, "double"))
        the("no run began while something of the last one lived", checks.said(lives_of, "strays"))
        the("no task saw an error of its pipes and sockets", checks.said(lives_of, "fault"))
        figures["verdicts of silence"], wrong = checks.false_verdicts(stage, lives_of)
        the("nobody who beat was judged silent", wrong)
        the("who lives is who was started last, and nobody is silent unseen", checks.last_lives(status, lives_of))
        figures["ends compared"], figures["ends of unknown status"], wrong = checks.ends(lives_of, log)
        the("how each run ended is told as it was", wrong)
        the("restarts_total and the generation of each task are those of the log", checks.totals(status, log))
        figures["lines printed"], wrong = checks.missing_lines(stage, lives_of)
        the("every line is in its log", wrong)
        figures["events read"], figures["subscriptions of the recorder"] = len(self.recorder.events), self.recorder.connections


def eventually_none(look):
    try:
        eventually(lambda: not look(), limit=5)
        return []
    except AssertionError:
        return look()


def differ(left, right):
    return [f"{kind}: {left.get(kind, 0)} and {right.get(kind, 0)}" for kind in sorted(left.keys() | right.keys())
            if left.get(kind, 0) != right.get(kind, 0)]


def run(seed, seconds, tasks, mean_ms, pace, acts_per_second, with_cgroup=True, keep=False):
    """Gives how many checks failed."""
    say(f"seed {seed}: {tasks} tasks, {seconds:.0f} s, {'with' if with_cgroup else 'without'} cgroups")
    verdict = checks.Checks()
    with Cgroup() if with_cgroup else nullcontext() as cgroup:
        stage = Stage(seed, tasks, mean_ms, cgroup)
        try:
            with stage.daemon:
                soak = Soak(stage, seconds, pace, acts_per_second)
                soak.run()
                soak.check_running(verdict.check)
                soak.check_descriptors(verdict.check)
                soak.check_accounts(verdict.check)
                # Here, as long as what ends is reaped.
                stage.daemon.stop()
                stage.end(stage.gone)
            verdict.check("after the end nothing lives, nothing is left, and the log holds no alarm", [])
        except Exception as error:  # noqa: BLE001, whatever it is, the rest is told all the same
            verdict.check("it came to its end", [f"{type(error).__name__}: {error}"])
        finally:
            stage.end(stage.gone)
        if cgroup:
            verdict.check("after the end no cgroup is left", cgroup.below() if os.path.exists(cgroup.path) else [])
        verdict.check("nobody saw what must not be", stage.faults)
        stage.leave(keep or verdict.failed > 0)
    for name, figure in [*stage.counts.items(), *soak.figures.items()]:
        say(f"{name:48} {figure}")
    say(f"seed {seed}: {verdict.passed} passed, {verdict.failed} failed")
    return verdict.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("vigild", "vigilctl", "build"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--mean", type=int, default=20000, help="how long a task lives on average, in ms")
    parser.add_argument("--acts", type=float, default=15, help="acts of all operators a second")
    parser.add_argument("--no-cgroup", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the directory also where all passed")
    options = parser.parse_args()
    cases.VIGILD, cases.VIGILCTL, cases.BUILD = map(os.path.abspath, (options.vigild, options.vigilctl, options.build))
    return 1 if run(options.seed, options.minutes * 60, options.tasks, options.mean, pace=4, acts_per_second=options.acts,
                    with_cgroup=not options.no_cgroup, keep=options.keep) else 0


if __name__ == "__main__":
    sys.exit(main())
