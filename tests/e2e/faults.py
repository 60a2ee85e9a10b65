"""Errors of system calls: `make faults` has every call that vigild makes in every scenario of fault_scenarios.py, and in
its start and its end, fail with every error that fits (fault_table.py); faults_test.py tries some of them.
"""
import argparse
import contextlib
import errno
import multiprocessing
import os
import re
import signal
import sys
from collections import Counter

import cases
import processes
from cases import eventually
from fault_injection import Fault, Faulty, met
from fault_scenarios import DONE, DROPPED, KEPT_UP, IDLE, SCENARIOS, descriptor_tables, how_it_went, states, zombies
from fault_table import errors_of
from kill_scenarios import processes_problem

# What became of a fault.
RECOVERED, REFUSED_TO_START, NOT_MET = "recovered", "refused to start", "not met"
TIMESTAMP = re.compile(r"^\S+ (warn\w*|err\w*|crit\w*)\s+(.*)$")


def complaints(text):
    return [found.group(2) for found in map(TIMESTAMP.match, text.splitlines()) if found]


def points(counts, stride=1, offset=0):
    """Each call of each kind with each error that fits it, or every stride-th of these."""
    every = [Fault(kind, error, number) for kind in sorted(counts) for number in range(1, counts[kind] + 1)
             for error in errors_of(kind)]
    return every[offset % stride::stride]


class Living:
    """One scenario in one daemon, a fault at a time."""

    def __init__(self, name):
        self.scenario = SCENARIOS[name]()
        self.daemon = Faulty(self.scenario.tasks(), daemon=self.scenario.daemon)
        self.tables, self.counts = [], Counter()

    def __enter__(self):
        self.daemon.__enter__()
        self.daemon.disarm()
        for _ in range(2):  # what is made once is made now
            self.tables = [1 << 30, 1 << 30]
            self.step([])
        self.tables = descriptor_tables(self.daemon.pid)
        self.step([])
        return self

    def __exit__(self, *args):
        return self.daemon.__exit__(*args)

    def step(self, faults):
        """Gives what became of it."""
        daemon, scenario = self.daemon, self.scenario
        scenario.prepare(daemon)
        before = states(daemon)
        log = len(daemon.log)
        with daemon.client() as client:
            client.call("daemon.hello")
            daemon.arm(faults)
            went, words = how_it_went(lambda: scenario.order(daemon, client))
            failed, self.counts = daemon.disarm()
        assert daemon.is_alive(), "vigild has died"
        if went != DONE:
            assert faults, f"without any fault: {went}: {words}"
            again = how_it_went(lambda: scenario.again(daemon, before))
            assert again[0] == DONE, f"the order failed ({went}: {words}), and without a fault again: {again[1]}"
        wrong = [None]

        def right():
            wrong[0] = scenario.is_right(daemon, before)
            return wrong[0] is None
        try:
            eventually(right, limit=10, what="everything is as it should be")
        except AssertionError:
            raise AssertionError(f"{wrong[0]} (the order was {went}: {words})") from None
        scenario.undo(daemon)
        said = complaints(daemon.log[log:])
        twice = [line for line, times in Counter(said).items() if times > 1]
        assert not twice or len(faults) > 1 or any(fault.count != 1 for fault in faults), f"said more than once: {twice}"
        eventually(lambda: not zombies(daemon), limit=5, what="no zombie is left")
        eventually(self.no_descriptor_more, limit=5, what=f"descriptors, {self.tables} before, are no more")
        return Outcome(RECOVERED if failed else NOT_MET, failed, went, said)


    def no_descriptor_more(self):
        now = descriptor_tables(self.daemon.pid)
        return len(now) == len(self.tables) and all(map(int.__le__, now, self.tables))


class Outcome:
    def __init__(self, what, failed, went, said):
        self.what, self.failed, self.went, self.said = what, failed, went, said

    @property
    def was_told(self):
        return self.went != DONE or bool(self.said)


TREES = {"a": KEPT_UP, "b": KEPT_UP, "idle": IDLE}


def try_start(fault):
    """A daemon of its own, one of whose calls fails before it is ready. None counts them instead."""
    daemon = Faulty(TREES, at_start=[fault] if fault else [], wait=False)
    with until_gone(daemon):
        daemon.start()

        def settled():
            return daemon.process.poll() is not None or begun(daemon)
        eventually(settled, what="the tasks run, or vigild has refused to start")
        failed, counts = daemon.disarm()
        if daemon.process.poll() is None:
            eventually(lambda: processes_problem(daemon, states(daemon)) is None, what="each task has its processes, once")
            end_of(daemon, fault)
            return Outcome(RECOVERED if failed else NOT_MET, failed, DONE, complaints(daemon.log)), counts
        code, said = daemon.process.returncode, daemon.log.strip()
        assert failed, f"vigild ended with {code} for no reason: {said}"
        # glibc's loader has words of its own (127), and none for the first of its mappings.
        of_loader = fault.kind == "mmap" and (code == 127 or (code == 128 + signal.SIGSEGV and not said))
        assert of_loader or 0 < code < 128, f"vigild was ended by a signal ({code})"
        assert of_loader or "vigild: " in said, "vigild ended without a word"
        nothing_left(daemon, fault)
        daemon.untraced()
        daemon.start()
        eventually(lambda: begun(daemon), what="the next vigild starts the tasks")
        end_of(daemon)
        return Outcome(REFUSED_TO_START, failed, DROPPED, said.splitlines()), counts


def try_end(fault):
    """The same for its stop by SIGTERM."""
    daemon = Faulty(TREES)
    with until_gone(daemon):
        daemon.start()
        eventually(lambda: begun(daemon), what="the tasks run")
        daemon.disarm()
        daemon.arm([fault] if fault else [])
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait()
        failed, counts = met(daemon.told())
        said = complaints(daemon.log)
        assert code == 0 or (code == 1 and said), f"exit code {code}: {said}"
        nothing_left(daemon, fault)
        return Outcome(RECOVERED if failed else NOT_MET, failed, DONE, said), counts


@contextlib.contextmanager
def until_gone(daemon):
    try:
        yield
    except BaseException:
        daemon._clean_up(failed=True)
        raise
    daemon._clean_up(failed=False)


def begun(daemon):
    try:
        with daemon.client(limit=2) as client:
            found = {task["name"]: task["status"] for task in client.call("task.status")["tasks"]}
    except (ConnectionError, OSError):
        return False
    return found.get("a") == "healthy" and found.get("b") == "healthy"


def end_of(daemon, fault=None):
    daemon.send_signal(signal.SIGTERM)
    cases.equal(daemon.wait(), 0, "vigild's exit code at its end")
    nothing_left(daemon, fault)


def nothing_left(daemon, fault=None):
    if fault and fault.kind.startswith(("unlink", "newfstatat")):
        # What the kernel does not remove, or does not show to be our own, stays; the next start makes its way.
        for name in ("control.sock", "keeper.sock", "state", "specs"):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(daemon.runtime_dir, name))
                break
    daemon.was_killed = True
    daemon._check_left()


# The whole walk: make faults

def begin_worker():
    processes.become_subreaper()
    sys.stderr = sys.stdout = open(os.devnull, "w")


def fresh_job(work):
    """One point of a start or of an end."""
    what, fault = work
    try:
        return fault, (try_start if what == "boot" else try_end)(fault)[0], None
    except Exception as error:
        return fault, None, f"{type(error).__name__}: {error}"


def living_job(work):
    """Some of the points of a scenario, in one daemon; another one after a fault that was found."""
    name, faults = work
    results, fault = [], None
    while faults:
        try:
            with Living(name) as living:
                while faults:
                    fault = faults.pop(0)
                    results.append((fault, living.step([fault]), None))
        except Exception as error:
            results.append((fault, None, f"{type(error).__name__}: {error}"))
    return results


def counts_of(name):
    if name in SCENARIOS:
        with Living(name) as living:
            return living.counts
    return (try_start if name == "boot" else try_end)(None)[1]


def results_of(name, faults, pool, jobs):
    if name in SCENARIOS:
        size = max(1, -(-len(faults) // (jobs * 4)))
        parts = [(name, faults[i:i + size]) for i in range(0, len(faults), size)]
        for part in pool.imap_unordered(living_job, parts):
            yield from part
    else:
        yield from pool.imap_unordered(fresh_job, [(name, fault) for fault in faults])


def walk(name, options, pool):
    """What became of its points, by kind, and the faulty ones."""
    faults = points(pool.apply(counts_of, (name,)), options.stride, options.offset)
    tally, found, unsaid = Counter(), [], Counter()
    for done, (fault, outcome, wrong) in enumerate(results_of(name, faults, pool, options.jobs), 1):
        if wrong:
            found.append(fault)
            print(f"{name}: FAULT at {fault}: {wrong}", flush=True)
        else:
            tally[outcome.what] += 1
            if outcome.what == RECOVERED and not outcome.was_told:
                unsaid[f"{fault.kind}:{errno.errorcode[fault.error]}"] += 1
        if done % 200 == 0 or done == len(faults):
            print(f"{name}: {done:,} of {len(faults):,} points, {len(found)} faults", flush=True)
    if options.unsaid and unsaid:
        print(f"{name}: passed over in silence: " + ", ".join(f"{kind} {times}" for kind, times in sorted(unsaid.items())))
    return tally, found


def main():
    names = ["boot", "shutdown", *SCENARIOS]
    parser = argparse.ArgumentParser(description="Has every system call of vigild fail with every error that fits it.")
    parser.add_argument("--build", required=True, help="the directory of the build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--scenario", choices=names, action="append", help="only this one; may be repeated")
    parser.add_argument("--stride", type=int, default=1, metavar="N", help="only every Nth point")
    parser.add_argument("--offset", type=int, default=0, metavar="K", help="beginning with the Kth")
    parser.add_argument("--unsaid", action="store_true", help="name what failed without a word, since it was made good")
    parser.add_argument("--only", metavar="KIND:NUMBER:ERROR", help="this one point, with everything there is to say")
    options = parser.parse_args()
    cases.BUILD = os.path.abspath(options.build)
    cases.VIGILD = os.path.join(cases.BUILD, "daemon/vigild")
    cases.VIGILCTL = os.path.join(cases.BUILD, "daemon/ctl/vigilctl")
    if options.only:
        kind, number, error = options.only.rsplit(":", 2)
        return only(options.scenario[0], Fault(kind, getattr(errno, error), int(number)))
    tally, found = Counter(), []
    with multiprocessing.Pool(options.jobs, begin_worker) as pool:
        for name in options.scenario or names:
            more, faulty = walk(name, options, pool)
            tally += more
            found += [f"--scenario {name} --only {fault}" for fault in faulty]
    print(f"{sum(tally.values()) + len(found):,} points: {tally[RECOVERED]:,} recovered from, {tally[REFUSED_TO_START]:,} starts refused with a "
          f"clear message, {tally[NOT_MET]:,} not met, {len(found)} faults")
    if found:
        print("to see one again: " + "\n  ".join(["", *found]))
        sys.exit(1)


def only(name, fault):
    if name in SCENARIOS:
        with Living(name) as living:
            outcome = living.step([fault])
    else:
        outcome = (try_start if name == "boot" else try_end)(fault)[0]
    print(f"{name}: {fault}: {outcome.what}; met {outcome.failed}; the order was {outcome.went}; said:", *outcome.said, sep="\n  ")


if __name__ == "__main__":
    main()
