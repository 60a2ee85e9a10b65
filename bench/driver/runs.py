"""Running the measuring programs, and what they said: samples by (who, number of tasks, row)."""
import collections
import json
import subprocess
import sys
import time


def say(text):
    print(text, file=sys.stderr, flush=True)


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


class Samples:
    """All figures of a run. A round's figures of one row are kept together, so that what was measured side by side is compared so."""

    def __init__(self):
        self.rounds = collections.defaultdict(dict)  # (who, tasks, row) -> {round: [values]}
        self.notes = []

    def add(self, who, tasks, row, number, value):
        self.rounds[who, tasks, row].setdefault(number, []).append(value)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def has(self, who, tasks, row):
        return (who, tasks, row) in self.rounds

    def values(self, who, tasks, row):
        return [value for values in self.rounds.get((who, tasks, row), {}).values() for value in values]

    def median(self, who, tasks, row):
        values = self.values(who, tasks, row)
        return median(values) if values else None

    def sizes(self, who, row):
        return sorted(tasks for found, tasks, name in self.rounds if found == who and name == row)

    def whos(self):
        return sorted({who for who, _, _ in self.rounds})

    def ratio(self, who, row, to, to_row, tasks):
        """The median over the rounds of what `who` took by what `to` took in the same round; None where there is none."""
        ours, theirs = self.rounds.get((who, tasks, row), {}), self.rounds.get((to, tasks, to_row), {})
        ratios = [median(ours[number]) / median(theirs[number]) for number in ours if number in theirs]
        return median(ratios) if ratios else None

    def as_json(self):
        return [{"who": who, "tasks": tasks, "row": row, "rounds": [rounds[number] for number in sorted(rounds)],
                 **self.spread(who, tasks, row)} for (who, tasks, row), rounds in sorted(self.rounds.items())]

    def spread(self, who, tasks, row):
        values = self.values(who, tasks, row)
        return {"min": min(values), "median": median(values), "max": max(values)}


class Runner:
    """Runs measuring programs one after the other. `prefix` goes before each command."""

    def __init__(self, samples, prefix=()):
        self.samples = samples
        self.prefix = list(prefix)

    def measure(self, argv, number, prefix=(), limit=300):
        """Adds what the program prints. A program that fails is noted and costs the run nothing else."""
        words = [*prefix, *self.prefix, *argv]
        begin = time.monotonic()
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                out, error = process.communicate(timeout=limit)
                code = process.returncode
            except subprocess.TimeoutExpired:
                # It ends what it has started.
                process.terminate()
                out, error = process.communicate()
                code = f"still running after {limit} s"
            except BaseException:
                process.terminate()
                process.wait()
                raise
        for line in out.splitlines():
            found = json.loads(line)
            if "note" in found:
                self.samples.note(f"{found['who']}, {found['tasks']} tasks: {found['note']}")
            else:
                self.samples.add(found["who"], found["tasks"], found["row"], number, found["value"])
        if code != 0:
            self.samples.note(f"failed ({code}): {' '.join(argv[1:])}: {error.strip()[-300:]}")
        say(f"  round {number + 1}: {' '.join(argv[1:])}: {time.monotonic() - begin:.1f} s" + (f" FAILED ({code})" if code else ""))
        return code == 0
