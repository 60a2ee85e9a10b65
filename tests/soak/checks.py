"""What must hold at the end of a soak. Each check gives what is wrong, as a list of texts."""
import os
import re
import signal

import kills
import processes
import specs
import watch
from logs import log_of

RUNTIME_FILES = {"lock", "state", "specs", "control.sock", "keeper.sock", "notify"}
LOG_NAMES = re.compile(r"[tx]\d+\.log(\.\d{6}(\.zst)?|\.times)?")
# Of a timeout of the configuration.
UNITS = {"ms": 1_000_000, "s": 1_000_000_000}


def nanoseconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s)", text).groups()
    return int(number) * UNITS[unit]


class Checks:
    """Counts and prints what passed and what failed."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def check(self, what, wrong):
        if wrong:
            self.failed += 1
            print(f"FAILED {what}: {len(wrong)}, e.g.\n  " + "\n  ".join(str(one)[:400] for one in wrong[:5]), flush=True)
        else:
            self.passed += 1
            print(f"passed {what}", flush=True)


def differences(found, wanted):
    return [f"{one} is there" for one in sorted(found - wanted)] + [f"{one} is missing" for one in sorted(wanted - found)]


# Of a daemon that runs and has come to rest

def running(status):
    return [task for task in status if task["pid"] is not None]


def notify_sockets(stage, status):
    told = {processes.environment(task["pid"]).get("NOTIFY_SOCKET") for task in running(status)} - {None}
    return differences(set(os.listdir(os.path.join(stage.daemon.runtime_dir, "notify"))), {os.path.basename(path) for path in told})


def cgroups(stage, status):
    found = {os.path.basename(place) for place in stage.cgroup.below() if "tasks/" in place}
    return differences(found, {f"{task['name']}.{task['generation']}" for task in running(status)})


def runtime_files(stage):
    return differences(set(os.listdir(stage.daemon.runtime_dir)), RUNTIME_FILES)


def log_files(stage):
    return [name for name in os.listdir(stage.daemon.path("l")) if not LOG_NAMES.fullmatch(name)]


def left_processes(stage, status):
    """Whatever bears the marks of this daemon belongs to a run that there is."""
    runs = {(task["name"], str(task["generation"])) for task in running(status)}
    wrong = []
    for pid in processes.descendants(os.getpid()):
        try:
            marks = processes.environment(pid)
        except OSError:
            continue
        if marks.get("VIGIL_RUNTIME_DIR") == stage.daemon.runtime_dir and (marks["VIGIL_TASK"], marks["VIGIL_GENERATION"]) not in runs:
            wrong.append(f"{processes.describe([pid])} of {marks['VIGIL_TASK']} generation {marks['VIGIL_GENERATION']}")
    return wrong


def zombies(stage):
    return [processes.describe([pid]) for pid in processes.descendants(stage.daemon.pid) if processes.state(pid) == "Z"]


def trend(sampler, who, most_kib):
    """Nothing, where it has not lived for long enough to tell."""
    found = sampler.trend(who)
    if found is None:
        return None, None
    second, last, events = found
    text = f"{who}: {second:.0f} KiB in the second third, {last:.0f} KiB in the last, {events} changes of state later"
    return text, ([text] if last > second + max(most_kib, second * 0.03) else [])


# Of the two accounts

def spec_of(stage, name):
    return stage.first_tasks.get(name) or specs.task(stage.seed, name, stage.ledgers, stage.mean_ms)


def speaks(spec):
    return "heartbeat" in spec or "ready" in spec


def said(lives_of, word):
    return [f"{name} generation {life.generation}, pid {life.pid}: {' '.join(words)}" for name, lives in lives_of.items()
            for life in lives for words in life.said if words[0] == word]


def false_verdicts(stage, lives_of):
    """Two beats less than the timeout apart, and SIGABRT less than the timeout after the second: nobody was silent.
    Gives the count of those that were looked at, and what is wrong."""
    wrong, judged = [], 0
    for name, lives in lives_of.items():
        spec = spec_of(stage, name)
        if "heartbeat" not in spec:
            continue
        timeout = nanoseconds(spec["heartbeat"]["timeout"])
        for life in lives:
            words = life.first("aborted")
            if words is None or (life.lot == "triggers" and life.first("silent")):
                continue
            judged += 1
            at, earlier, _, begin, end = map(int, words[1:])
            if begin and end - (earlier or life.started) <= timeout and at - begin < timeout:
                wrong.append(f"{name} generation {life.generation}: SIGABRT {(at - begin) / 1e6:.0f} ms after a beat, {timeout / 1e6:.0f} allowed")
            ready = life.first("ready")
            if not begin and ready and at - int(ready[1]) > 1_000_000_000:
                wrong.append(f"{name} generation {life.generation}: SIGABRT {(at - int(ready[1])) / 1e6:.0f} ms after READY=1")
    return judged, wrong


def runs_without_life(stage, log):
    """Announced runs that no task tells of: only where the run was ended, or its daemon, before the task could say anything.
    Gives their count, and what is wrong."""
    wrong, count = [], 0
    for name, stretches in log.tasks.items():
        must_speak = speaks(spec_of(stage, name))
        for run in (run for stretch in stretches for run in stretch if run.life is None):
            count += 1
            daemons = {run.daemon, *(entry[2] for entry in run.states)}
            ended = any(state in ("stopping", "removed") or "start failed" in why or "killed by" in why for state, why, _ in run.states)
            if (run.was("healthy") and must_speak) or not (ended or len(daemons) > 1 or run.daemon < log.daemons):
                wrong.append(f"{name} generation {run.generation}, pid {run.pid}: {run.states}")
    return count, wrong


def ends(lives_of, log):
    """How a task says that it ended is how the daemon says so. Gives how many were compared, how many the daemon knew nothing of,
    and what is wrong."""
    wrong, compared, unknown = [], 0, 0
    for name, stretches in log.tasks.items():
        for run in (run for stretch in stretches for run in stretch if run.life is not None and run.life.end):
            # A start bears the cause of the end before it.
            told = next((why for state, why, _ in run.states if state != "starting" and re.search(r"exit code \d|killed by|status unknown", why)), None)
            reason = run.life.end[1]
            if told is None or reason == "stop":
                continue
            if "unknown" in told:
                unknown += 1
                continue
            compared += 1
            kind, number = reason.split()
            wanted = f"exit code {number}" if kind == "exit" else f"killed by {signal.Signals(int(number)).name}"
            # Between its last word and its end an operator's SIGKILL has room.
            if not told.endswith((wanted, wanted.replace("SIG", ""))) and not told.endswith("KILL"):
                wrong.append(f"{name} generation {run.generation}: {reason}, but the daemon says {told}")
    return compared, unknown, wrong


def totals(status, log):
    """restarts_total and generation of each task are what the log says of its present stretch."""
    wrong = []
    for task in status:
        runs = log.tasks[task["name"]][-1]
        count = task["restarts_total"] + 1
        whole = len(runs) == count
        # It was removed, and the daemon killed before it could say so; then it came again.
        cut = not whole and len(runs) > count and runs[-count].daemon != runs[-count - 1].states[-1][2]
        if not (whole or cut) or runs[-1].generation != task["generation"]:
            wrong.append(f"{task['name']}: generation {task['generation']}, {task['restarts_total']} restarts; in the log {len(runs)} runs, "
                         f"the last of generation {runs[-1].generation if runs else None}")
    return wrong


def last_lives(status, lives_of):
    """Who lives is who was started last, and is not one that fell silent long ago."""
    wrong = []
    for task in running(status):
        life = lives_of[task["name"]][-1]
        if (life.generation, life.pid) != (task["generation"], task["pid"]):
            wrong.append(f"{task['name']}: generation {task['generation']}, pid {task['pid']}; its ledger ends with {life.generation}, {life.pid}")
        if task["status"] == "healthy" and (life.first("silent") or life.first("hang")):
            wrong.append(f"{task['name']} is healthy, and says nothing for a long time")
    return wrong


def missing_lines(stage, lives_of):
    """Every line that a task printed is in its log. Gives their count, and what is wrong."""
    wrong, count = [], 0
    for name, lives in lives_of.items():
        if not specs.whole_log(spec_of(stage, name)):
            continue
        seen = {}
        try:
            with open(log_of(stage.daemon, name), errors="replace") as file:
                for line in file:
                    if found := re.fullmatch(r"(\d+) (\d+) (\d+)\n", line):
                        seen.setdefault((int(found[1]), int(found[2])), set()).add(int(found[3]))
        except FileNotFoundError:
            pass
        for life in lives:
            numbers = seen.get((life.generation, life.pid), set())
            wanted = life.end[0] if life.end else max(numbers, default=-1) + 1
            count += wanted
            if lost := set(range(wanted)) - numbers:
                wrong.append(f"{name} generation {life.generation}: {len(lost)} of {wanted} lines, the first {min(lost)}")
    return count, wrong


def descriptors_of_both(stage):
    """What vigild and its keeper have open, but for the pidfd of a keeper that this very program has started."""
    keeper = kills.keeper_of(stage.daemon)
    return {"vigild": watch.kinds_of_descriptors(stage.daemon.pid, but_for=keeper), "keeper": watch.kinds_of_descriptors(keeper)}
