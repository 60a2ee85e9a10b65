"""The two accounts of what happened: the tasks' own (their ledgers) and the daemon's (its log)."""
import os
import re
from dataclasses import dataclass, field

STATES = "created|starting|healthy|stopping|failed|completed|stopped|dead|removed"
CHANGE = re.compile(rf"^(\S+) \w+ +([A-Za-z0-9]+): ({STATES})(, pid \d+)?(, generation \d+)?(?:: ([^;]*))?(;.*)?$")
BEGIN = re.compile(r"^\S+ \w+ +vigild \S+ runs with ")


@dataclass
class Life:
    """One run as the task itself tells it."""
    generation: int
    pid: int
    started: int
    lot: str
    said: list = field(default_factory=list)  # the words of each line after the first

    def first(self, word):
        return next((words for words in self.said if words[0] == word), None)

    @property
    def end(self):
        """(lines, reason) where it ended by itself."""
        words = self.first("end")
        return (int(words[2]), " ".join(words[3:])) if words else None


@dataclass
class Run:
    """One run as the daemon tells it."""
    generation: int
    daemon: int  # which one announced it
    pid: int = 0
    states: list = field(default_factory=list)  # (state, why, daemon)
    life: Life = None

    def was(self, state):
        return any(entry[0] == state for entry in self.states)


def ledger(path):
    lives, by_pid = [], {}
    with open(path) as file:
        for line in file:
            generation, pid, *words = line.split()
            key = (int(generation), int(pid))
            if words[0] == "start":
                by_pid[key] = Life(*key, int(words[1]), words[3])
                lives.append(by_pid[key])
            else:
                by_pid[key].said.append(words)
    return lives


def ledgers(directory):
    return {name: ledger(os.path.join(directory, name)) for name in sorted(os.listdir(directory))
            if "." not in name and name != "calm"}


class Log:
    """Runs of each task in the order of their announcements, in stretches between two removals."""

    def __init__(self, path):
        self.daemons = 0
        self.tasks = {}  # name -> list of stretches, each a list of runs
        self.removals_cut_short = 0
        self.backwards = []
        with open(path, errors="replace") as file:
            for line in file:
                if BEGIN.match(line):
                    self.daemons += 1
                elif found := CHANGE.match(line.rstrip()):
                    self._change(*found.group(2, 3, 4, 5, 6))

    def _change(self, name, state, pid, generation, why):
        stretches = self.tasks.setdefault(name, [[]])
        runs = stretches[-1]
        if state == "removed":
            if runs:
                runs[-1].states.append((state, why or "", self.daemons))
            stretches.append([])
            return
        if generation:
            number = int(generation.split()[-1])
            if not runs or number != runs[-1].generation:
                self._begin(name, number)
        runs = stretches[-1]
        if not runs:
            return
        if pid:
            runs[-1].pid = int(pid.split()[-1])
        runs[-1].states.append((state, why or "", self.daemons))

    def _begin(self, name, number):
        stretches = self.tasks[name]
        runs = stretches[-1]
        if runs and number < runs[-1].generation:
            # A daemon that is killed between a removal and its word of it takes the task with it into silence.
            if runs[-1].states[-1][2] == self.daemons:
                self.backwards.append(f"{name}: {number} after {runs[-1].generation}")
            self.removals_cut_short += 1
            stretches.append([])
        stretches[-1].append(Run(number, self.daemons))


def match(log, lives_of):
    """Brings the two together: each life to the run that announced it. Gives the lives that no run accounts for."""
    unknown = []
    for name, lives in lives_of.items():
        runs = [run for stretch in log.tasks.get(name, []) for run in stretch]
        at = 0
        for life in lives:
            same = [index for index in range(at, len(runs)) if runs[index].generation == life.generation]
            # One that ended early has no pid in the log; and after a removal the numbers may come again.
            there = next((index for index in same if runs[index].pid == life.pid),
                         next((index for index in same if runs[index].pid == 0), None))
            if there is None:
                unknown.append(f"{name} generation {life.generation}, pid {life.pid}")
                continue
            runs[there].life = life
            at = there + 1
    return unknown
