"""Output that does not go as it should: disks, files in the way, and tasks that print too much or not at all."""
import json
import os
import re
import time

import cases
import processes
from cases import Skip, case, contains, equal, eventually, main, need_program, need_root, now
from harness import SLEEP, Daemon, beater, shell, worker
from logs import log_of, text_of


@case(timeout=120, serial=True)
def nasty_50_a_task_that_prints_as_fast_as_it_can_neither_fills_memory_nor_holds_up_anybody():
    spec = {"command": ["/usr/bin/yes", "yes, a line of some length to be written over and over again"],
            "output": {"max_size": "64MiB", "keep": 1}}
    with Daemon({"yes": spec, "beats": beater(timeout="2s")}) as daemon:
        daemon.reaches("beats", "healthy")
        def memory():
            return int(processes.status_field(daemon.pid, "VmRSS")[0]) * 1024
        before, answers = memory(), []
        end = now() + 5
        while now() < end:
            begin = now()
            daemon.rpc("task.status", {"name": "*"})
            answers.append(now() - begin)
            time.sleep(0.01)
        answers.sort()
        median, slowest = answers[len(answers) // 2], answers[-1]
        written = daemon.rpc("task.status", {"name": "yes", "details": True})["tasks"][0]["output"]["written_bytes"]
        grown = memory() - before
        print(f"{written / 5e6:.0f} MB/s, answers: median {median * 1000:.1f} ms, slowest {slowest * 1000:.0f} ms, memory grew by {grown / 1e6:.1f} MB")
        assert grown < 16e6, f"memory grew by {grown} bytes"
        assert median < 0.1 * cases.PATIENCE and slowest < 3 * cases.PATIENCE, (median, slowest)
        equal(daemon.status("beats")["generation"], 1, "nobody's heartbeat was missed")
        assert written > 5e6, written


def mounted(daemon_options, size):
    """Wraps a daemon so that its log directory is a small file system of its own, which goes with it."""
    need_root("mounting")
    need_program("unshare")
    script = (f'mkdir -p "$0" && mount -t tmpfs -o size={size},mode=755 tmpfs "$0" && exec "$@"')
    return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script]


@case()
def nasty_53_a_full_disk_is_counted_said_once_and_recovered_from():
    spec = {"command": worker("lines.py", 40_000, 20), "output": {"max_size": "64MiB"}, "autostart": False}
    daemon = Daemon({"counts": spec, "beats": beater(timeout="2s")})
    daemon._around = [*mounted(daemon, "256k"), os.path.join(daemon.directory, "l")]
    with daemon:
        inside = f"/proc/{daemon.pid}/root{daemon.directory}/l"
        with open(f"{inside}/filler", "wb") as filler:
            filler.write(b"x" * 200_000)
        equal(daemon.ctl("start", "counts").code, 0, "start")
        def faulty():
            found = daemon.status("counts")["output"]
            return found if found and found["fault"] and found["dropped_bytes"] > 100_000 else None
        found = eventually(faulty, what="output is dropped")
        contains(found["fault"], "No space left")
        contains(daemon.ctl("status").out, "No space left")
        equal(daemon.log.count("No space left on device"), 1, "times it was said")
        os.unlink(f"{inside}/filler")
        eventually(lambda: not (daemon.status("counts")["output"] or {}).get("fault"), what="it is written again")
        text = eventually(lambda: (t := text_of(f"{inside}/counts.log")) and "[vigil:" in t and t, what="the mark in the log")
        lost = re.search(r"\[vigil: (\d+) lines \((\d+) bytes\) of output were dropped here: .*No space", text)
        assert lost, text[-500:]
        equal(int(lost[2]), daemon.status("counts")["output"]["dropped_bytes"], "bytes of the mark and of the status")
        equal(daemon.status("counts")["generation"], 1, "the task went on")
        equal(daemon.status("beats")["generation"], 1, "and so did the others")


@case()
def nasty_54_a_log_that_is_deleted_or_moved_away_is_begun_anew():
    with Daemon({"ticks": {"command": shell("while :; do echo tick; sleep 0.02; done")}}) as daemon:
        path = log_of(daemon, "ticks")
        eventually(lambda: "tick" in text_of(path), what="the log")
        os.unlink(path)
        eventually(lambda: "tick" in text_of(path), what="the log after it was deleted")
        os.rename(path, path + ".away")
        with open(path, "w") as other:
            other.write("somebody else's line\n")
        eventually(lambda: "tick" in text_of(path), what="the log after it was replaced")
        contains(text_of(path), "somebody else's line")
        eventually(lambda: text_of(path).count("tick") > 2, what="it goes on")
        os.truncate(path, 0)
        eventually(lambda: text_of(path).startswith("tick") and "\0" not in text_of(path), what="after a truncation")


@case()
def nasty_10_a_log_that_is_no_regular_file_is_refused_without_a_hang():
    with Daemon({}) as daemon:
        places = {}
        for kind in ("fifo", "directory", "link", "device"):
            places[kind] = daemon.path(f"{kind}.log")
        os.mkfifo(places["fifo"])
        os.mkdir(places["directory"])
        target = daemon.path("target")
        os.symlink(target, places["link"])
        places["device"] = "/dev/zero"
        for kind, path in places.items():
            daemon.rpc("task.add", {"name": kind, "spec": {
                "command": shell("while :; do echo x; sleep 0.05; done"), "output": {"path": path}}})
        for kind in places:
            def refused():
                found = daemon.status(kind)
                return found if found["output"] and found["output"]["fault"] and found["output"]["dropped_bytes"] else None
            found = eventually(refused, what=f"{kind} is refused")
            equal(found["status"], "healthy", f"the task with {kind}")
        assert not os.path.exists(target), "written through a link"
        os.rmdir(places["directory"])
        eventually(lambda: "x\n" in text_of(places["directory"]), what="the log, once the directory is out of the way")


@case()
def nasty_55_the_end_of_whoever_reads_the_daemons_own_output_ends_nobody_else():
    # Its reader takes one byte and is gone: what follows is EPIPE, and would be SIGPIPE.
    through = ["/bin/bash", "-c", 'exec "$@" > >(head -c 1 >/dev/null) 2>&1', "bash"]
    chatty = {"command": shell("while :; do echo still here; sleep 0.05; done"), "output": {"to": "inherit"},
              "restart": {"max_attempts": None, "base_delay": "50ms", "jitter": 0}}
    with Daemon({"chatty": chatty, "sleep": SLEEP}, wrap=through) as daemon:
        for _ in range(5):
            equal(daemon.ctl("restart", "sleep").code, 0, "restart")
        equal(daemon.status("sleep")["status"], "healthy", "state")
        # The task writes to the broken pipe itself: that ends the task, as it would without a supervisor.
        eventually(lambda: daemon.status("chatty")["restarts_total"] > 1, what="it is started again and again")


@case()
def nasty_56_two_tasks_with_one_log_are_refused():
    with Daemon({"first": SLEEP}) as daemon:
        taken = log_of(daemon, "first")
        refused = daemon.ctl("add", "second", "-f", "-", input=json.dumps({**SLEEP, "output": {"path": taken}}))
        equal(refused.code, 78, f"add: {refused}")
        contains(refused.err, "first")
        equal(daemon.ctl("status", "second").code, 4, "nothing was added")


@case()
def nasty_48_a_grandchild_that_holds_stdout_open_hides_no_exit():
    with Daemon({"leaves": {"command": shell("setsid sleep 1000 & echo bye; exit 5"), "restart": {"policy": "never"}}}) as daemon:
        status = daemon.reaches("leaves", "dead")
        equal(status["last_exit"]["code"], 5, "exit code")
        eventually(lambda: text_of(log_of(daemon, "leaves")) == "bye\n", what="the log has it")


@case()
def nasty_49_a_task_that_closes_its_stdout_costs_nothing():
    with Daemon({"quiet": {"command": shell("exec >&- 2>&-; exec sleep 1000")}}) as daemon:
        def cpu():
            with open(f"/proc/{daemon.pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            return int(fields[11]) + int(fields[12])
        time.sleep(0.3)
        before = cpu()
        time.sleep(1)
        assert cpu() - before < 20, f"{cpu() - before} ticks in a second of nothing"


@case()
def output_to_a_journal_that_is_not_there_is_a_failed_start_that_says_so():
    if os.path.exists("/run/systemd/journal/stdout"):
        raise Skip("this machine has a journal")
    with Daemon({"writes": {**SLEEP, "output": {"to": "journal"}, "restart": {"max_attempts": 0}}}) as daemon:
        found = daemon.reaches("writes", "dead")
        contains(daemon.ctl("status").out, "journal")
        equal(found["cause"]["last"]["stage"] if "last" in found["cause"] else found["cause"]["stage"], "open-output", "stage")


if __name__ == "__main__":
    main()
