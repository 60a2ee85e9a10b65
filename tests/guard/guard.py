"""A guard over the cost of one event of the hot paths that measures no time: system calls of vigild and of the children it makes,
until their exec (counted by vigil_kill_at), and instructions of its pure part (counted by callgrind in vigil_hot_paths).

    guard.py calls|instructions --build DIR             fails when one grew by more than a tenth against costs.json
    guard.py calls|instructions --build DIR --record    writes what it counts to costs.json

A cost that went down by more than a tenth is said: record it, or the next growth up to the old one goes unseen.
"""
import argparse
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

import cases  # noqa: E402
import processes  # noqa: E402
from cases import eventually  # noqa: E402
from kill_points import Traced, Point  # noqa: E402

RECORD = os.path.join(HERE, "costs.json")
GROWTH = 1.10
BEATS, RESTARTS, REQUESTS = 200, 40, 200
EVENTS = 10_000  # under callgrind
# Long enough for vigild to be back in its wait: an event that comes sooner costs less, since it shares a turn.
SETTLED = 0.004


def the_task():
    """It beats when anybody says so, and comes back at once."""
    return {"command": [os.path.join(cases.BUILD, "tests/e2e/workers/steady"), "0", "/dev/null"], "output": {"to": "null"},
            "heartbeat": {"timeout": "10m", "access": "all"}, "ready": {"on": "exec"},
            "restart": {"policy": "always", "base_delay": "0s", "max_attempts": None}}


def send_beats(daemon):
    pid = daemon.status("a")["pid"]
    with open(f"/proc/{pid}/environ", "rb") as file:
        path = re.search(rb"NOTIFY_SOCKET=([^\0]+)", file.read())[1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(path)
        yield
        for _ in range(BEATS):
            sender.send(b"WATCHDOG=1")
            eventually(lambda: struct.unpack("i", fcntl.ioctl(sender, termios.TIOCOUTQ, b"\0" * 4))[0] == 0, what="it is read")
            time.sleep(SETTLED)
    yield BEATS


def kill_the_task(daemon):
    vigild = daemon.pid

    def run():
        """The pid of the task's process once that is past its exec."""
        return next((pid for pid in processes.descendants(vigild) if "steady" in processes.command_line(pid)), None)
    yield
    for _ in range(RESTARTS):
        before = eventually(run, what="the task runs")
        os.kill(before, signal.SIGKILL)
        eventually(lambda: run() not in (None, before), what="it runs again")
        time.sleep(5 * SETTLED)
    yield RESTARTS


def ask_for_the_status(daemon):
    with daemon.client() as client:
        client.call("task.status", {"name": "a"})
        yield
        for _ in range(REQUESTS):
            client.call("task.status", {"name": "a"})
            time.sleep(SETTLED)
    yield REQUESTS


def calls_of(story):
    """System calls an event."""
    daemon = Traced({}, [])
    daemon.config["tasks"] = {"a": the_task()}
    daemon.write_config(json.dumps(daemon.config))
    daemon.point = Point(0)
    with daemon:
        steps = story(daemon)
        next(steps)
        daemon.mark()
        events = next(steps)
        daemon.end_traced()
        counted = int(daemon.told("counted")[1])
        daemon.start()
    return counted / events


def count_calls(_):
    return {"heartbeat": calls_of(send_beats), "restart": calls_of(kill_the_task), "status": calls_of(ask_for_the_status)}


def count_instructions(arguments):
    program = os.path.join(arguments.build, "tests/guard/vigil_hot_paths")
    counted = {}
    for name in ("heartbeat", "restart", "status"):
        function = "guard_statuses" if name == "status" else f"guard_{name}s"
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--toggle-collect={function}",
                               program, str(EVENTS)], capture_output=True, text=True, timeout=100)
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or not found:
            raise SystemExit(f"callgrind of {program} gave {done.returncode}:\n{done.stderr}")
        counted[name] = int(found[1]) / EVENTS
    return counted


def compare(what, counted, recorded):
    grown = []
    for name, cost in counted.items():
        before = recorded[name]
        print(f"{name}: {cost:.1f} {what}, recorded {before:.1f} ({cost / before - 1:+.1%})")
        if cost > before * GROWTH:
            grown.append(name)
        elif cost * GROWTH < before:
            print("  went down: record it with make guard-record")
    if grown:
        raise SystemExit(f"{', '.join(grown)}: more than a tenth dearer than recorded. If that is wanted: make guard-record")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("calls", "instructions"))
    parser.add_argument("--build", required=True)
    parser.add_argument("--compiler", default="")
    parser.add_argument("--instrumented", default="")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    cases.BUILD = os.path.abspath(arguments.build)
    cases.VIGILD, cases.VIGILCTL = cases.BUILD + "/daemon/vigild", cases.BUILD + "/daemon/ctl/vigilctl"
    with open(RECORD) as file:
        record = json.load(file)
    if arguments.instrumented not in ("", "OFF"):
        print(f"skipped: built with {arguments.instrumented}")
        raise SystemExit(cases.SKIP_CODE)
    by_instructions = arguments.what == "instructions"
    if by_instructions and not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        raise SystemExit(cases.SKIP_CODE)
    if by_instructions and not arguments.record and record["compiler"] != arguments.compiler:
        print(f"skipped: recorded with {record['compiler']}, built with {arguments.compiler}")
        raise SystemExit(cases.SKIP_CODE)
    counted = (count_instructions if by_instructions else count_calls)(arguments)
    if not arguments.record:
        return compare(arguments.what, counted, record[arguments.what])
    record[arguments.what] = {name: round(cost, 1) for name, cost in counted.items()}
    if by_instructions:
        record["compiler"] = arguments.compiler
    with open(RECORD, "w") as file:
        json.dump(record, file, indent=2)
        file.write("\n")
    print(f"{arguments.what} recorded: {record[arguments.what]}")


if __name__ == "__main__":
    main()
