#!/usr/bin/env python3
"""Many tasks that print and beat, one that prints as fast as it can, and optionally a full disk: what it costs everybody else.

    chatty.py --build DIR [--tasks 1000] [--rate 100] [--seconds 20] [--full-disk] [--yes] [--json FILE]

Prints how long `task.status` of one task took to be answered (50th and 99th percentile, longest), the daemon's memory, how many
heartbeat verdicts there were (none is right), and whether every numbered line is in the logs. Exit code 1 if a line is lost that was
not reported dropped, or a task was judged silent.
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


def rpc(path, method, params=None):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}).encode() + b"\n")
        text = b""
        while not text.endswith(b"\n"):
            text += client.recv(1 << 20)
        return json.loads(text)["result"]


def memory(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024


def check(path, wanted):
    """Numbers of lines found; raises on a line that is out of order or broken."""
    found, dropped = 0, 0
    directory, name = os.path.split(path)
    older = sorted(entry for entry in os.listdir(directory) if re.fullmatch(re.escape(name) + r"\.\d+", entry))
    expected = 0
    for file in [*older, name]:
        with open(os.path.join(directory, file), errors="replace") as lines:
            for line in lines:
                if line.startswith("[vigil:"):
                    dropped += int(re.search(r"(\d+) lines", line)[1])
                    expected = None
                    continue
                body, _, length = line.rstrip("\n").rpartition(" ")
                if not (length.isdigit() and len(body) == int(length)):
                    if expected is None:
                        continue  # the rest of a line of which the beginning was dropped
                    raise AssertionError(f"{file}: broken line {line!r}")
                number = int(body.split(" ")[1])
                if expected is not None and number != expected:
                    raise AssertionError(f"{file}: {number} where {expected} was due")
                expected = number + 1
                found += 1
    if not dropped and found != wanted:
        raise AssertionError(f"{path}: {found} lines of {wanted}")
    return found, dropped


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--tasks", type=int, default=1000)
    arguments.add_argument("--rate", type=int, default=100)
    arguments.add_argument("--seconds", type=int, default=20)
    arguments.add_argument("--full-disk", action="store_true")
    arguments.add_argument("--yes", action="store_true")
    arguments.add_argument("--json", help="where the figures go too")
    options = arguments.parse_args()
    options.build = os.path.abspath(options.build)
    place = tempfile.mkdtemp(prefix="vb", dir="/tmp")
    logs = os.path.join(place, "l")
    os.mkdir(logs)
    chatter = os.path.join(options.build, "bench/output/chatter")
    tasks = {f"t{number}": {"command": [chatter, str(options.rate), str(options.seconds)],
                            "ready": {"on": "notify"}, "heartbeat": {"timeout": "5s"}} for number in range(options.tasks)}
    if options.yes:
        tasks["yes"] = {"command": ["/usr/bin/yes", "a line of some length to be written over and over again"],
                        "output": {"keep": 1}}
    config = os.path.join(place, "vigil.json")
    with open(config, "w") as file:
        json.dump({"version": 1, "daemon": {"runtime_dir": f"{place}/r", "state_dir": f"{place}/s", "log_dir": logs},
                   "tasks": tasks}, file)
    command = [os.path.join(options.build, "daemon/vigild"), "-c", config]
    if options.full_disk:
        command = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
                   f'mount -t tmpfs -o size=4m tmpfs {logs} && exec "$@"', "sh", *command]
    with open(f"{place}/log", "wb") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
    control = f"{place}/r/control.sock"
    try:
        while not os.path.exists(control):
            time.sleep(0.05)
        late = time.monotonic() + 120
        while True:
            states = rpc(control, "daemon.status")["tasks"]
            if states["healthy"] == len(tasks):
                break
            if time.monotonic() > late or states["dead"]:
                sys.exit(f"not all tasks became healthy: {states}")
            time.sleep(0.2)
        print(f"{len(tasks)} tasks healthy; measuring for {options.seconds} s", flush=True)
        waits, peak, end = [], 0.0, time.monotonic() + options.seconds
        while time.monotonic() < end:
            begin = time.monotonic()
            rpc(control, "task.status", {"name": "t0"})
            waits.append((time.monotonic() - begin) * 1000)
            if len(waits) % 50 == 0:
                peak = max(peak, memory(daemon.pid))
            time.sleep(0.01)
        waits.sort()
        time.sleep(2)
        found = rpc(control, "task.status", {"details": True})["tasks"]
        silent = [task["name"] for task in found if task["generation"] != 1]
        dropped = sum(task["output"]["dropped_bytes"] for task in found)
        written = sum(task["output"]["written_bytes"] for task in found)
        print(f"answers: p50 {waits[len(waits) // 2]:.1f} ms, p99 {waits[len(waits) * 99 // 100]:.1f} ms, longest {waits[-1]:.1f} ms "
              f"({len(waits)} asked)")
        print(f"memory of vigild (PSS): {peak:.1f} MiB at most; {written / 1e6:.1f} MB written, {dropped / 1e6:.1f} MB reported dropped")
        print(f"tasks that were judged silent or died: {len(silent)}")
        if options.json:
            with open(options.json, "w") as file:
                json.dump({"control.p50": waits[len(waits) // 2], "control.p99": waits[len(waits) * 99 // 100],
                           "control.max": waits[-1], "memory": peak * 1024, "silent": len(silent)}, file)
        lost = 0
        if not options.full_disk:
            total = 0
            for number in range(options.tasks):
                lines, reported = check(f"{logs}/t{number}.log", options.rate * options.seconds)
                total += lines
                lost += reported
            print(f"lines found in order and whole: {total} of {options.tasks * options.rate * options.seconds}; reported dropped: {lost}")
        return 1 if silent else 0
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
        shutil.rmtree(place)


if __name__ == "__main__":
    sys.exit(main())
