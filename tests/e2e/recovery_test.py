"""A vigild that is killed, and the one that comes after it: no task notices, and none is there twice."""
import json
import os
import random
import signal
import subprocess
import threading
import time

import cases
import kills
import processes
from cases import case, contains, equal, eventually, main
from harness import PYTHON, SLEEP, Daemon, beater, failing, run, shell
from killed import copies, kill, kill_and_start, marked, states, with_one_that_left
from logs import log_of, text_of


@case()
def tasks_of_a_killed_daemon_are_taken_over_with_their_processes_and_their_states():
    with Daemon({"runs": SLEEP, "stopped": SLEEP, "dead": {**failing(), "restart": {"policy": "never"}},
                 "waits": {**failing(), "restart": {"base_delay": "300s"}}, "idle": {**SLEEP, "autostart": False},
                 "done": {"command": ["/bin/true"]}}) as daemon:
        for name, state in (("dead", "dead"), ("waits", "failed"), ("done", "completed")):
            daemon.reaches(name, state)
        equal(daemon.ctl("stop", "stopped").code, 0, "stop")
        equal(daemon.ctl("add", "added", "--", "/bin/sleep", "1000").code, 0, "add")
        before = states(daemon)
        due = daemon.status("waits")["next_start_in_ms"]
        kill_and_start(daemon)
        equal(states(daemon), before, "states")
        equal(daemon.status("runs")["cause"]["kind"], "adopted", "cause")
        after = daemon.status("waits")
        assert after["next_start_in_ms"] <= due, after
        equal(after["restart_attempts"], 1, "attempts")
        contains(daemon.log, "took over 7 of them, 2 running")
        # What was taken over can be driven as before.
        equal(daemon.ctl("restart", "runs").code, 0, "restart")
        equal(daemon.status("runs")["generation"], 2, "generation")
        equal(daemon.ctl("remove", "added").code, 0, "remove")


@case()
def nasty_77_what_ended_while_no_daemon_was_there_gets_its_policy_applied_once():
    with Daemon({"ends": {"command": shell("echo said at the end; exec sleep 1000"),
                          "restart": {"base_delay": "1ms", "jitter": 0}}}) as daemon:
        pid = daemon.reaches("ends", "healthy")["pid"]
        kill(daemon)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not processes.alive(pid), what="the task has ended")
        os.waitpid(pid, 0)
        daemon.start()
        after = eventually(lambda: (task := daemon.status("ends"))["status"] == "healthy" and task, what="it runs again")
        equal((after["generation"], after["restarts_total"], after["restart_attempts"]), (2, 1, 1), "one restart")
        assert after["last_exit"]["kind"] in ("unknown", "signal"), after["last_exit"]
        # Of both runs; output is written on a moment after the taking over.
        eventually(lambda: daemon.ctl("logs", "ends").out == "said at the end\n" * 2, what="its output")


# Names its child as its main process.
MOVES = """
import os, signal, socket
child = os.fork()
if child != 0:
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(f"READY=1\\nMAINPID={child}".encode(), os.environ["NOTIFY_SOCKET"])
signal.pause()
"""


@case()
def nasty_77_a_run_with_another_main_process_is_over_though_nobody_reaps_the_one_that_was_started():
    with Daemon({"moves": {"command": [PYTHON, "-c", MOVES], "ready": {"on": "notify"}}}, daemon={"cgroup": "off"}) as daemon:
        before = daemon.reaches("moves", "healthy")["pid"]
        kill_and_start(daemon)
        equal(daemon.status("moves")["pid"], before, "the main process that it had named")
        # Both are children of this program by then, which reaps them at the end of the case.
        equal(daemon.ctl("stop", "moves", limit=30).code, 0, "stop")


@case()
def nasty_77_what_a_main_process_left_behind_that_ended_meanwhile_is_ended_before_the_next_start():
    tree = {"command": shell("sleep 1001 & exec sleep 1000"), "restart": {"base_delay": "1ms", "jitter": 0}}
    with Daemon({"tree": tree}, daemon={"cgroup": "off"}) as daemon:
        pid = daemon.reaches("tree", "healthy")["pid"]
        child = eventually(lambda: next((one for one in daemon.task_processes()
                                         if processes.command_line(one) == "sleep 1001"), None), what="its child")
        kill(daemon)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        daemon.start()
        daemon.started_again("tree", 1)
        assert not processes.alive(child), "the child of the ended run lives on"


@case()
def nasty_78_an_adopted_zombie_that_nobody_reaps_is_given_up_and_costs_nothing():
    with Daemon({"ends": {**SLEEP, "restart": {"policy": "never"}}, "other": SLEEP}) as daemon:
        pid = daemon.reaches("ends", "healthy")["pid"]
        kill_and_start(daemon)
        # Its parent is this program by now, which looks the other way.
        os.kill(pid, signal.SIGKILL)

        def spent():
            with open(f"/proc/{daemon.pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
        begin = spent()
        eventually(lambda: daemon.status("ends")["status"] == "dead", limit=30, what="it is given up")
        assert spent() - begin < 1.5, f"the loop was busy for {spent() - begin} s"
        equal(daemon.status("ends")["last_exit"]["kind"], "unknown", "its exit")
        equal(daemon.status("other")["generation"], 1, "the other task")
        os.waitpid(pid, 0)


COUNTS = r"""
import os, sys
number = 0
try:
    while True:
        os.write(1, b"line %d\n" % number)
        number += 1
        if number % 50 == 0:
            import time; time.sleep(0.005)
except OSError as error:
    open(os.environ["TELL"], "w").write(repr(error))
"""


@case(timeout=180)
def no_line_is_missing_and_no_task_sees_a_broken_pipe_however_often_the_daemon_is_killed():
    daemon = Daemon()
    daemon.config["tasks"] = {"counts": {"command": ["/usr/bin/python3", "-c", COUNTS],
                                         "env": {"TELL": daemon.path("told")}}}
    daemon.write_config(json.dumps(daemon.config))
    with daemon:
        pid = daemon.reaches("counts", "healthy")["pid"]
        for _ in range(8):
            time.sleep(random.uniform(0.02, 0.2))
            kill(daemon)
            time.sleep(random.uniform(0, 0.3))
            daemon.start()
        equal(states(daemon), {"counts": ("healthy", pid, 1)}, "the task")
        equal(daemon.ctl("stop", "counts").code, 0, "stop")
        assert not os.path.exists(daemon.path("told")), open(daemon.path("told")).read()

        count, _, _ = kills.check_lines("counts", text_of(log_of(daemon, "counts")))
        assert count > 50, f"{count} lines"


@case()
def heartbeats_go_on_through_the_absence_of_the_daemon():
    with Daemon({"beats": beater()}) as daemon:
        before = daemon.reaches("beats", "healthy")
        for _ in range(3):
            kill(daemon)
            time.sleep(0.5)
            daemon.start()
            eventually(lambda: daemon.status("beats")["last_heartbeat_age_ms"] is not None, what="a beat is read again")
        after = daemon.status("beats")
        equal((after["status"], after["pid"], after["generation"]), ("healthy", before["pid"], 1), "the task")


@case()
def a_client_that_asks_while_no_daemon_is_there_is_answered_by_the_next_one():
    with Daemon({"a": SLEEP}) as daemon:
        kill(daemon)
        answer = {}
        asking = threading.Thread(target=lambda: answer.update(status=run([cases.VIGILCTL, "-s", daemon.socket, "status"])))
        asking.start()
        time.sleep(0.3)
        daemon.start()
        asking.join()
        equal(answer["status"].code, 0, "exit code")
        contains(answer["status"].out, "a ", "healthy")


@case(timeout=300)
def nasty_9_and_73_killed_at_any_moment_of_a_start_or_an_order_no_task_is_lost_or_there_twice():
    daemon = Daemon(wait=False)
    names = [f"t{number}" for number in range(12)]
    daemon.config["tasks"] = {name: marked(daemon, SLEEP) for name in names}
    daemon.write_config(json.dumps(daemon.config))
    with daemon:
        for round in range(12):
            time.sleep(random.uniform(0, 0.08))
            order = subprocess.Popen([cases.VIGILCTL, "-s", daemon.socket, "--timeout", "5s", "restart", "t1*"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) if round % 2 else None
            time.sleep(random.uniform(0, 0.02))
            kill(daemon)
            if order:
                order.wait()
            daemon.start()
        daemon._wait = True
        kill_and_start(daemon)

        def settled():
            found = {name: copies(daemon, name) for name in names}
            told = {task["name"]: [task["pid"]] for task in daemon.rpc("task.status")["tasks"]}
            return found == told and found
        found = eventually(settled, limit=60, what="one process for each task, the one that status tells")
        assert all(len(pids) == 1 for pids in found.values()), found


@case()
def tasks_go_on_under_what_they_were_started_with_when_the_configuration_changed_meanwhile():
    with Daemon({"a": {**SLEEP, "env": {"NAME": "before"}}, "gone": SLEEP}) as daemon:
        before = states(daemon)
        kill(daemon)
        daemon.config["tasks"] = {"a": {**SLEEP, "env": {"NAME": "after"}}, "new": SLEEP}
        daemon.write_config(json.dumps(daemon.config))
        daemon.start()
        after = states(daemon)
        equal({name: after[name] for name in before}, before, "what ran before")
        equal(after["new"][0], "healthy", "what is new")
        contains(daemon.log, "a: goes on as it was started")
        equal(processes.environment(after["a"][1])["NAME"], "before", "its environment")


@case()
def a_clean_up_ends_what_a_killed_daemon_left_and_nothing_while_one_runs():
    tree = {"command": shell("trap '' TERM; sleep 1000 & sleep 1000"), "output": {"to": "file"}}
    with Daemon({"a": SLEEP, "tree": tree}, ends_with=-signal.SIGKILL) as daemon:
        pids = [pid for pid in daemon.task_processes() if processes.alive(pid)]
        clean_up = [cases.VIGILD, "-c", daemon.config_path, "--cleanup"]
        refused = run(clean_up)
        equal(refused.code, 1, "exit code while it runs")
        contains(refused.err, "only one daemon may use this directory")
        kill(daemon)
        # systemd is about to start it again: the tasks are the next one's.
        equal(run(clean_up, env={"SERVICE_RESULT": "signal"}).code, 0, "exit code before a restart")
        assert all(processes.alive(pid) for pid in pids), processes.describe(pids)
        done = run(clean_up)
        equal(done.code, 0, f"exit code: {done}")
        contains(done.err, "ended 2 tasks")
        left = [pid for pid in pids if processes.alive(pid)]
        assert not left, processes.describe(left)
        equal(run(clean_up).err, "", "the second time there is nothing to do")


@case()
def nasty_29_a_stop_of_an_adopted_run_without_a_cgroup_ends_what_had_left_its_group_and_its_parent():
    with with_one_that_left() as daemon:
        left = int(daemon.read("left"))
        kill_and_start(daemon)
        assert processes.alive(left), "it was ended by the crash"
        equal(daemon.ctl("stop", "tree").code, 0, "stop")
        assert not processes.alive(left), processes.describe([left])


@case()
def nasty_18_an_adopted_run_without_a_cgroup_is_not_over_while_one_that_left_it_lives():
    with with_one_that_left() as daemon:
        left = int(daemon.read("left"))
        pid = daemon.status("tree")["pid"]
        kill(daemon)
        # Its main process ends while no daemon is there: the rest is ended before anything else begins.
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not processes.alive(pid), what="the main process has ended")
        os.waitpid(pid, 0)
        daemon.start()
        daemon.reaches("tree", "dead")
        assert not processes.alive(left), processes.describe([left])


if __name__ == "__main__":
    main()
