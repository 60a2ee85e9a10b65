#!/usr/bin/env python3
"""Measures vigil beside the bare limit of the machine and beside other supervisors, and says how far each promise is kept.

    bench.py --build DIR [--quick] [--realtime] [--vigild PROGRAM --vigilctl PROGRAM] [--json FILE]

Rounds are interleaved: what else the machine does befalls all of them. Progress goes to stderr, tables to stdout. This is a measurement and
no test: a target that is missed does not change the exit code.
"""
import argparse
import json
import os
import platform
import resource
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import report
from runs import Runner, Samples, say


def machine():
    """What is to be known of this machine to read its figures."""
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    return {"cores": os.cpu_count(), "processor": model, "kernel": platform.release(),
            "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[1], "load": os.getloadavg()[0]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="build directory of the preset bench")
    parser.add_argument("--quick", action="store_true", help="vigil and the limit, few rounds, up to 1,000 tasks")
    parser.add_argument("--realtime", action="store_true",
                        help="by SCHED_RR, for a machine that does other work meanwhile (root only)")
    parser.add_argument("--vigild", help="another vigild than that of the build")
    parser.add_argument("--vigilctl", help="another vigilctl than that of the build")
    parser.add_argument("--json", help="where the figures go (default: results.json in the build's bench directory)")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.json = options.json or os.path.join(options.build, "bench/results.json")
    return options


class Bench:
    def __init__(self, options):
        self.options = options
        self.samples = Samples()
        self.runner = Runner(self.samples, ["chrt", "-r", "1"] if options.realtime else [])
        self.others = [word for name in ("vigild", "vigilctl") if getattr(options, name)
                       for word in (f"--{name}", os.path.abspath(getattr(options, name)))]

    def program(self, name):
        return os.path.join(self.options.build, "bench", name)

    def supervised(self, who, tasks, number, rows, **amounts):
        words = [self.program("rows/supervised"), "--who", who, "--tasks", str(tasks), "--rows", ",".join(rows)]
        for name, amount in amounts.items():
            words += [f"--{name}", str(amount)]
        return self.runner.measure([*words, *(self.others if who == "vigil" else [])], number)

    def everybody(self, sizes, rounds, whos, crashes):
        """The rows that every supervisor has."""
        for tasks in sizes:
            say(f"{tasks:,} tasks")
            for number in range(rounds):
                for who in whos:
                    rows = ["start", "crash", "mass"]
                    if not who.startswith("limit"):
                        rows += ["memory", "status"]
                    # Once is enough for what takes its time whatever it finds.
                    if who == "vigil" and number == 0:
                        rows.append("idle")
                    self.supervised(who, tasks, number, rows, crashes=crashes, idle=2 if self.options.quick else 5)

    def quick(self):
        self.everybody([1, 10, 100, 1000], 3, ["limit", "limit-2", "vigil"], 100)

    def full(self):
        self.everybody([1, 10, 100, 1000], 5, ["limit", "limit-2", "vigil"], 200)
        self.everybody([10000], 3, ["limit", "limit-2", "vigil"], 200)


def main():
    options = arguments()
    bench = Bench(options)
    found = machine()
    begin = time.monotonic()
    bench.quick() if options.quick else bench.full()
    took = time.monotonic() - begin
    print(report.as_text(report.table_of_targets(bench.samples)))
    print()
    print(report.as_text(report.table_of_figures(bench.samples)))
    print()
    print(f"{found['cores']} cores, {found['processor']}, Linux {found['kernel']}, at most {found['descriptors']:,} descriptors; "
          f"load {found['load']:.1f} at the beginning{', SCHED_RR' if options.realtime else ''}; {took:.0f} s")
    for note in bench.samples.notes:
        print(f"note: {note}")
    os.makedirs(os.path.dirname(options.json), exist_ok=True)
    with open(options.json, "w") as file:
        json.dump({"machine": found, "realtime": options.realtime, "seconds": round(took), "notes": bench.samples.notes,
                   "figures": bench.samples.as_json()}, file, indent=1)
    say(f"figures: {options.json}")


if __name__ == "__main__":
    main()
