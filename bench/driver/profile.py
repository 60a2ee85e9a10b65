#!/usr/bin/env python3
"""profile.py --build DIR: where the time of the three hot paths goes, by perf: a start, a crash, a heartbeat.

Needs root, linux-perf and a kernel with tracepoints. Everything takes longer under perf than without; what counts is how the figures
compare. Run it alone."""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

from runs import median, say

EVENT = re.compile(r"^\s*(?P<who>.+?)\s+\d+\s+\[(?P<processor>\d+)\]\s+(?P<seconds>[\d.]+):\s+(?P<name>\S+):\s?(?P<rest>.*)$")
WHOS = ["limit", "limit-2", "limit-apart", "vigil"]
# What is seen of one crash, in order, with whose it is: all of them, those that hand the spawn to a thread, vigil alone.
STEPS = [("the victim exits", "sched:sched_process_exit", WHOS),
         ("its end is taken: waitid", "syscalls:sys_enter_waitid", WHOS),
         ("a restart is decided", "syscalls:sys_enter_getrandom", ["vigil"]),
         ("it is handed to a thread: futex", "syscalls:sys_enter_futex", ["limit-apart", "vigil"]),
         ("clone", "syscalls:sys_enter_clone", ["limit", "limit-apart"]),
         ("clone3", "syscalls:sys_enter_clone3", ["vigil"]),
         ("setsid", "syscalls:sys_enter_setsid", ["limit-apart", "vigil"]),
         ("execve", "syscalls:sys_enter_execve", WHOS),
         ("it is another program", "sched:sched_process_exec", WHOS),
         ("its datagram is there", "syscalls:sys_exit_recvfrom", WHOS)]


class Event:
    def __init__(self, match):
        self.who, self.name, self.rest, self.processor = match["who"], match["name"], match["rest"], match["processor"]
        self.us = float(match["seconds"]) * 1e6


def perf(*words):
    done = subprocess.run(["perf", *words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"profile.py: perf {words[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def record(place, events, command):
    """The events of all processors while a command runs."""
    file = os.path.join(place, "perf.data")
    perf("record", "-q", "-a", "-m", "16384", "-o", file, *(word for event in events for word in ("-e", event)), "--", *command)
    return [Event(match) for match in map(EVENT.match, perf("script", "-i", file).splitlines()) if match]


def supervised(options, who, tasks, *words):
    return [os.path.join(options.build, "bench/rows/supervised"), "--who", who, "--tasks", str(tasks), *words]


def start(options, who, tasks):
    """Microseconds of processor that each program took for one start, and those from one start to the next."""
    events = record(options.place, ["sched:sched_switch", "sched:sched_process_exec"], supervised(options, who, tasks, "--rows", "start"))
    execs = [event.us for event in events if event.name == "sched:sched_process_exec" and "worker" in event.rest]
    taken, since = collections.Counter(), {}
    for event in events:
        if event.name == "sched:sched_switch":
            begun = since.get(event.processor)
            if begun is not None and execs[0] <= begun and event.us <= execs[-1]:
                taken["idle" if event.who.startswith("swapper") else event.who] += event.us - begun
            since[event.processor] = event.us
    return {name: us / len(execs) for name, us in taken.items()}, (execs[-1] - execs[0]) / (len(execs) - 1)


def crash(options, who, tasks, crashes):
    """Microseconds from kill(2) to each step, medians over all crashes."""
    steps = [(title, name) for title, name, whose in STEPS if who in whose]
    events = record(options.place, ["syscalls:sys_enter_kill", *(name for _, name in steps)],
                    supervised(options, who, tasks, "--rows", "crash", "--crashes", str(crashes)))
    found, begun, left = collections.defaultdict(list), None, []
    for event in events:
        of_the_bench = event.who.startswith("supervised")
        if event.name == "syscalls:sys_enter_kill" and of_the_bench:
            begun, left = event.us, list(steps)
        elif left and event.name == left[0][1] and of_the_bench == (len(left) == 1):
            found[left.pop(0)[0]].append(event.us - begun)
    return {title: median(values) for title, values in found.items()}


def heartbeats(options, tasks):
    """Parts of the processor's time that the busiest symbols of vigild take while it reads heartbeats, and that of the kernel."""
    file = os.path.join(options.place, "perf.data")
    perf("record", "-q", "-a", "-F", "5000", "-o", file, "--", os.path.join(options.build, "bench/vigil/vigil_rows"),
         "--row", "heartbeats", "--tasks", str(tasks), "--amount", "2")
    rows = []
    for line in perf("report", "-i", file, "--comm", "vigild", "--no-children", "--stdio", "-q", "-g", "none", "--percentage", "relative",
                     "--sort", "dso,symbol").splitlines():
        found = re.match(r"\s*([\d.]+)%\s+(\S+)\s+\[(.)\]\s+(\S.*?)\s*(?:-\s+-\s*)?$", line)
        if found:
            rows.append((float(found[1]), found[3] == "k", found[4]))
    return rows


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="build directory of the preset bench")
    parser.add_argument("--tasks", type=int, default=1000, help="how many there are (1000)")
    parser.add_argument("--crashes", type=int, default=200, help="how many are looked at (200)")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("profile.py: perf shows all of the machine to root only")
    with tempfile.TemporaryDirectory(prefix="vigil-profile-") as options.place:
        say(f"{options.tasks:,} starts")
        starts = {who: start(options, who, options.tasks) for who in WHOS}
        names = sorted({name for taken, _ in starts.values() for name in taken}, key=lambda name: -starts["vigil"][0].get(name, 0))
        shown = [name for name in names if any(taken.get(name, 0) >= 1 for taken, _ in starts.values())]
        print(f"One of {options.tasks:,} starts, microseconds of processor:\n")
        table(["", *WHOS], [[name, *(f"{starts[who][0].get(name, 0):.1f}" for who in WHOS)] for name in shown] +
              [["from one to the next", *(f"{starts[who][1]:.1f}" for who in WHOS)]])
        say(f"{options.crashes} crashes")
        alone = [who for who in WHOS if who != "limit-2"]
        crashes = {who: crash(options, who, options.tasks, options.crashes) for who in alone}
        print(f"One crash of {options.tasks:,} tasks, microseconds since kill(2) (medians of {options.crashes}):\n")
        table(["", *alone], [[title, *(f"{crashes[who][title]:.0f}" if title in crashes[who] else "" for who in alone)]
                             for title, _, _ in STEPS if any(title in steps for steps in crashes.values())])
        say("heartbeats")
        rows = heartbeats(options, options.tasks)
        kernel = sum(part for part, in_kernel, _ in rows if in_kernel)
        print(f"vigild while it reads heartbeats: {kernel:.0f} % in the kernel, {sum(part for part, _, _ in rows) - kernel:.0f} % in programs. Of that:\n")
        table(["%", "where"], [[f"{part:.1f}", f"{'kernel: ' if in_kernel else ''}`{symbol}`"] for part, in_kernel, symbol in rows[:14]])


main()
