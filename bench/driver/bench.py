#!/usr/bin/env python3
"""Measures vigil beside the bare limit of the machine and beside other supervisors, and says how far each promise is kept.

    bench.py --build DIR [--quick] [--only PARTS] [--realtime] [--vigild PROGRAM --vigilctl PROGRAM] [--json FILE]

Rounds are interleaved: what else the machine does befalls all of them. Progress goes to stderr, tables to stdout. This is a measurement and
no test: a target that is missed does not change the exit code.
"""
import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine
import report
import scaling
import results
from peers import PEERS
from runs import Runner, Samples, say

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None


def this_machine():
    """What is to be known of this machine to read its figures."""
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    return {"cores": os.cpu_count(), "processor": model, "kernel": platform.release(),
            "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[1], "load": os.getloadavg()[0]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="build directory of the preset bench")
    parser.add_argument("--quick", action="store_true", help="vigil and the limit, few rounds, up to 1,000 tasks")
    parser.add_argument("--only", help="these parts of it, with commas between")
    parser.add_argument("--realtime", action="store_true",
                        help="by SCHED_RR, for a machine that does other work meanwhile (root only)")
    parser.add_argument("--vigild", help="another vigild than that of the build")
    parser.add_argument("--vigilctl", help="another vigilctl than that of the build")
    parser.add_argument("--json", help="where the figures go (default: results.json in the build's bench directory)")
    parser.add_argument("--write-results", action="store_true", help="tables and plots also into bench/RESULTS.md and bench/plots")
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

    def supervised(self, who, tasks, number, rows, *flags, inside=(), **amounts):
        words = [self.program("rows/supervised"), "--who", who, "--tasks", str(tasks), "--rows", ",".join(rows), *flags]
        for name, amount in amounts.items():
            words += [f"--{name}", str(amount)]
        return self.runner.measure([*words, *(self.others if who == "vigil" else [])], number, prefix=inside)

    def vigil_row(self, row, tasks, number, amount):
        words = [self.program("vigil/vigil_rows"), "--row", row, "--tasks", str(tasks), "--amount", str(amount)]
        self.runner.measure([*words, *(self.others if row != "bare-heartbeats" else [])], number)

    def everybody(self, sizes, rounds, crashes, idle):
        """The rows that every supervisor has, of vigil and the limit."""
        for tasks in sizes:
            say(f"{tasks:,} tasks")
            for number in range(rounds):
                for who, what in (("limit", ["start", "crash", "mass"]), ("limit-2", ["start"]), ("limit-apart", ["start", "crash", "mass"])):
                    self.supervised(who, tasks, number, what, crashes=crashes)
                rows = ["start", "crash", "mass", "memory", "status"]
                # Once is enough for what takes its time whatever it finds.
                self.supervised("vigil", tasks, number, [*rows, "idle"] if number == 0 else rows, crashes=crashes, idle=idle)

    def memory(self, sizes, rounds):
        for number in range(rounds):
            for tasks in sizes:
                self.supervised("vigil", tasks, number, ["memory"], "--beating")
                self.supervised("vigil", tasks, number, ["memory"], "--beating", "--output")

    def heartbeats(self, sizes, rounds, seconds):
        for tasks in sizes:
            for number in range(rounds):
                self.vigil_row("bare-heartbeats", tasks, number, seconds)
                self.vigil_row("heartbeats", tasks, number, seconds)

    def silence(self, sizes, rounds, silent):
        for tasks in sizes:
            for number in range(rounds):
                self.vigil_row("silence", tasks, number, silent)

    def takeover(self, sizes, times):
        for tasks in sizes:
            self.vigil_row("takeover", tasks, 0, times)

    def control(self, sizes, times):
        for tasks in sizes:
            self.vigil_row("control", tasks, 0, times)

    def parts(self):
        """What a run is made of, by name, in order."""
        if self.options.quick:
            return {"everybody": lambda: self.everybody([1, 100, 1000], 3, 50, 2),
                    "memory": lambda: self.memory([1, 1000], 1),
                    "heartbeats": lambda: self.heartbeats([1000], 1, 1),
                    "silence": lambda: self.silence([1000], 1, 50),
                    "takeover": lambda: self.takeover([1000], 1),
                    "control": lambda: self.control([1000], 2),
                    "output": lambda: self.output(64, 1)}
        return {"everybody": lambda: (self.everybody([1, 10, 100, 1000], 5, 200, 5), self.everybody([5000, 10000], 3, 200, 5)),
                "memory": lambda: self.memory([1, 1000, 5000], 2),
                "heartbeats": lambda: self.heartbeats([1, 100, 1000, 10000], 3, 2),
                "silence": lambda: self.silence([100, 1000, 10000], 2, 100),
                "takeover": lambda: self.takeover([1, 10, 100, 1000, 10000], 5),
                "control": lambda: self.control([100, 1000, 10000], 3),
                "output": lambda: self.output(256, 3),
                "chatty": lambda: (self.chatty("chatty"), self.chatty("full-disk", "--full-disk")),
                "peers": self.peers}

    def run(self):
        wanted = self.options.only.split(",") if self.options.only else list(self.parts())
        unknown = set(wanted) - set(self.parts())
        if unknown:
            raise SystemExit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(self.parts())}")
        for name, measure in self.parts().items():
            if name in wanted:
                measure()

    def output(self, mib, rounds):
        """The rows of bench/output as ours: cat is the limit, and each logger a peer."""
        names = {"cat": "limit", "vigil": "vigil", "s6-log n20 s67108864": "s6", "multilog s16777215 n20": "daemontools"}
        with tempfile.TemporaryDirectory(prefix="vo", dir=SHARED_MEMORY) as place:
            figures = os.path.join(place, "json")
            if not self.run_other([self.program("output/output_bench"), "--mib", str(mib), "--rounds", str(rounds), "--json", figures, place]):
                return
            with open(figures) as file:
                for column in json.load(file)["columns"]:
                    for number, value in enumerate(column["bytes_per_second"]):
                        if column["name"] in names:
                            self.samples.add(names[column["name"]], 1, "output", number, value / 1e6)

    def chatty(self, name, *flags):
        """1,000 tasks that print and beat: what it costs everybody else."""
        with tempfile.NamedTemporaryFile(prefix="vo") as figures:
            self.run_other([sys.executable, "-B", os.path.join(HERE, "../output/chatty.py"), "--build", self.options.build,
                            "--seconds", "15", "--json", figures.name, *flags])
            text = figures.read()
            for row, value in (json.loads(text) if text else {}).items():
                self.samples.add("vigil", 1000, f"{name}.{row}", 0, value)

    def run_other(self, words):
        """Runs a program that writes its figures elsewhere."""
        begin = time.monotonic()
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        say(f"  {os.path.basename(words[0])} {' '.join(words[1:])}: {time.monotonic() - begin:.1f} s")
        if done.returncode != 0:
            self.samples.note(f"failed ({done.returncode}): {' '.join(words)}: {done.stdout.strip()[-300:]}")
        return done.returncode == 0

    def peers(self):
        for peer in PEERS:
            say(f"{peer.name}")
            if why := peer.missing():
                self.samples.note(f"{peer.name} is not measured: {why}")
                continue
            if peer.name != "systemd":
                self.peer(peer)
                continue
            try:
                with machine.Machine(self.runner.prefix) as booted:
                    self.peer(peer, booted.inside)
            except RuntimeError as error:
                self.samples.note(f"systemd is not measured: {error}")

    def peer(self, peer, inside=()):
        for tasks in peer.sizes:
            for number in range(peer.rounds):
                rows = ["start", "crash", "mass", "memory", *(["status", "idle"] if number == 0 else [])]
                if not self.supervised(peer.name, tasks, number, rows, inside=inside, crashes=peer.crashes, idle=2, status=3):
                    return


def show(samples, found, options, took):
    """The tables of a run, each with its heading, and what is to be known about it."""
    peers = [peer.name for peer in PEERS if peer.name in samples.whos()]
    tables = [("What is promised, and what was found", report.table_of_targets(samples))]
    if peers:
        tables.append(("Other supervisors, in the same run", report.table_of_peers(samples, peers)))
    tables.append((f"Growth from N = {scaling.FITTED_FROM} on: fitted exponents", scaling.table_of_exponents(samples, ["limit", "vigil", *peers])))
    tables.append(("All figures (start, mass, stop, status, silence, takeover, control, loop: ms; crash: us; memory: KiB)", report.table_of_figures(samples)))
    remarks = [f"{datetime.date.today()}: {found['cores']} cores, {found['processor']}, Linux {found['kernel']}, at most {found['descriptors']:,} descriptors; "
               f"load {found['load']:.1f} at the beginning{', everything under SCHED_RR' if options.realtime else ''}; {took:.0f} s",
               *samples.notes]
    return tables, remarks


def main():
    options = arguments()
    bench = Bench(options)
    found = this_machine()
    begin = time.monotonic()
    bench.run()
    took = time.monotonic() - begin
    tables, remarks = show(bench.samples, found, options, took)
    for heading, lines in tables:
        print(f"{heading}\n\n{report.as_text(lines)}\n")
    for remark in remarks:
        print(f"- {remark}")
    os.makedirs(os.path.dirname(options.json), exist_ok=True)
    with open(options.json, "w") as file:
        json.dump({"machine": found, "realtime": options.realtime, "seconds": round(took), "notes": bench.samples.notes,
                   "figures": bench.samples.as_json()}, file, indent=1)
    plots = scaling.plot(bench.samples, os.path.join(os.path.dirname(options.json), "plots"))
    say(f"figures: {options.json}" + (f"; plots beside it: {', '.join(plots)}" if plots else ""))
    if options.write_results:
        results.write(tables, remarks, options, plots)


if __name__ == "__main__":
    main()
