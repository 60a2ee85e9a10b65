"""Clients of the control socket as no client should be, all kinds at once, and what one good client, the tasks and the
memory notice of them: `make hostile` with ten thousand connections, hostile_test.py with few.
"""
import argparse
import grp
import os
import resource
import shutil
import subprocess
import threading
import time

import cases
import processes
from cases import eventually
from harness import SLEEP, Daemon, beater

TOOL = "tests/tools/vigil_hostile"
# Of each thousand connections, so many of a kind (see vigil_hostile).
KINDS = {"idle": 500, "half": 100, "slow": 100, "endless": 50, "deaf": 100, "waiting": 50, "pipeline": 40, "garbage": 40, "deep": 20}
# The group that may read is one that the system has; 65534 would be nobody's, who is never trusted.
STRANGER, READER, READ_GROUP = 65532, 65533, 1


class Figures:
    def __init__(self):
        self.waits, self.turned_away, self.peak = [], 0, 0
        self.steady_waits = []
        self.loop = None  # of daemon.status, while all of them are there


def told(waits):
    """Of some seconds, how they lie."""
    if not waits:
        return "no answers"
    def percentile(part):
        return sorted(waits)[min(len(waits) - 1, int(len(waits) * part))] * 1000
    return f"{len(waits)} answers, p50 {percentile(.5):.1f} ms, p99 {percentile(.99):.1f} ms"


def told_turns(turns):
    return (f"{turns['count']:,}, p50 {turns['p50_us'] / 1000:.1f} ms, p99 {turns['p99_us'] / 1000:.1f} ms, "
            f"at most {turns['max_us'] / 1000:.1f} ms")


def memory(pid):
    """PSS in KiB."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def hostile(size):
    """The daemon that they are let loose on. As root they are other users: one may read, the other nothing."""
    # AddressSanitizer keeps 256 MiB of what was freed to find its late users, which would count as kept by the daemon.
    os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4"]))
    control = {"mode": "0660"}
    if os.geteuid() == 0:
        control["read_group"] = grp.getgrgid(READ_GROUP).gr_name
    tasks = {f"t{i}": SLEEP for i in range(20)}
    return Daemon({"beater": beater(timeout="5s"), **tasks}, daemon={"control": control})


class Crowd:
    """with Crowd(daemon, size): they are there until the end of the block; said: what each kind counted; refused: how
    many answers refused a right, by kind, to those who may read."""

    def __init__(self, daemon, size):
        self.daemon, self.said, self.refused = daemon, [], {}
        self.counts = {kind: max(1, size * share // 1000) for kind, share in KINDS.items()}

    def __enter__(self):
        tool = shutil.copy(os.path.join(cases.BUILD, TOOL), self.daemon.path("hostile"))
        self.running = []
        for kind, count in self.counts.items():
            if os.geteuid() != 0:
                self.running.append((kind, self.begin([], tool, kind, count)))
                continue
            # Those who may read go first; a tenth are strangers.
            for uid, gid, part in ((READER, READ_GROUP, count - count // 10), (STRANGER, STRANGER, count // 10)):
                if part:
                    self.running.append((kind if uid == READER else None,
                                         self.begin(["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"], tool, kind, part)))
        return self

    def begin(self, before, tool, kind, count):
        # Less of the processor than vigild, so that its own turns are measured and not a race for two cores.
        return subprocess.Popen(["nice", "-n", "19", *before, tool, self.daemon.socket, kind, str(count)], stdout=subprocess.PIPE, text=True)

    def __exit__(self, *_):
        for _, one in self.running:
            one.terminate()
        for kind, one in self.running:
            said = one.communicate(timeout=60)[0].strip()
            self.said.append(said)
            if kind:
                self.refused[kind] = int(said.split()[-1])

    @property
    def opened(self):
        return sum(int(line.split()[2]) for line in self.said)


def good_client(daemon, figures, seconds, patience):
    """Comes, asks, is answered and goes, again and again. Whoever is turned away comes again."""
    pid, end = daemon.pid, time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()

        def answered():
            try:
                with daemon.client(limit=patience) as client:
                    return client.call("task.status", {"name": "beater"})
            except (ConnectionError, OSError) as error:
                assert not isinstance(error, TimeoutError), "a good client was not answered"
                figures.turned_away += 1
                return None
            except KeyError:  # "too many clients are connected", which has no id
                figures.turned_away += 1
                return None
        eventually(answered, limit=patience, what="a good client is answered")
        figures.waits.append(time.monotonic() - begin)
        figures.peak = max(figures.peak, memory(pid))
        time.sleep(0.01)


class SteadyClient:
    """One connection, made before the crowd comes, that asks again and again until the end of the block: what it waits for
    is the daemon's turn, and no place in the queue of those who connect."""

    def __init__(self, daemon, figures):
        self.client, self.figures, self.over = daemon.client(), figures, threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        while not self.over.wait(0.01):
            begin = time.monotonic()
            self.client.call("daemon.hello")
            self.figures.steady_waits.append(time.monotonic() - begin)

    def __enter__(self):
        self.client.call("daemon.hello")
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.client.close()


def let_loose(daemon, size, seconds, patience=20):
    """The crowd for so long, with a good client among it."""
    figures = Figures()
    beats = daemon.status("beater")["generation"]
    before = memory(daemon.pid), daemon.descriptors()
    with SteadyClient(daemon, figures), Crowd(daemon, size) as crowd:
        good_client(daemon, figures, seconds, patience)
        counted = None
        for _ in range(100):
            try:
                status = daemon.rpc("daemon.status")
                counted, figures.loop = status["dropped"], status["loop"]
                break
            except (ConnectionError, OSError):
                time.sleep(0.05)
    eventually(lambda: daemon.descriptors() <= before[1], what=f"no more than {before[1]} descriptors are left")
    cases.equal(daemon.status("beater")["generation"], beats, "generations of the task that beats")
    return figures, crowd, counted, before, (memory(daemon.pid), daemon.descriptors())


def main():
    parser = argparse.ArgumentParser(description="Bad clients against one vigild, and what a good one notices.")
    parser.add_argument("--build", required=True, help="the directory of the build")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    cases.BUILD = os.path.abspath(options.build)
    cases.VIGILD = os.path.join(cases.BUILD, "daemon/vigild")
    cases.VIGILCTL = os.path.join(cases.BUILD, "daemon/ctl/vigilctl")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with hostile(options.connections) as daemon:
        quiet = Figures()
        with SteadyClient(daemon, quiet):
            good_client(daemon, quiet, 2, 20)
        figures, crowd, counted, before, after = let_loose(daemon, options.connections, options.seconds)
        log = os.path.getsize(daemon.log_path)
    print(f"{options.connections:,} connections (hard limit on descriptors {limit:,} a process), {options.seconds:g} s, "
          f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print("  " + "\n  ".join(crowd.said))
    print(f"good client on a connection of its own, alone: {told(quiet.steady_waits)}; amidst: {told(figures.steady_waits)}")
    print(f"good client that connects each time, alone: {told(quiet.waits)}; amidst: {told(figures.waits)}, turned away "
          f"{figures.turned_away} times")
    print("turns of the loop since the start: " + "; ".join(f"{what} {told_turns(figures.loop[name])}"
          for what, name in (("by the wall clock", "turns"), ("by the processor's", "turns_cpu")) if name in figures.loop))
    print(f"PSS {before[0]:,} KiB before, {figures.peak:,} KiB at most, {after[0]:,} KiB after; descriptors {before[1]} before, {after[1]} after")
    print(f"counted: {counted}; the log has {log:,} bytes")


if __name__ == "__main__":
    main()
