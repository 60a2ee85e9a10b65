"""Ends: of one task with its whole tree, and of the daemon with all its tasks."""
import contextlib
import json
import os
import signal
import time

import cases
import processes
from cases import Skip, always, case, equal, eventually, main, need_root, now
from harness import SLEEP, Daemon, beater, failing, run, shell
from logs import text_of

STUBBORN = {"command": shell("trap '' TERM INT; while :; do sleep 0.1; done")}


@case()
def nasty_79_sigterm_stops_every_task_and_ends_with_0():
    with Daemon({f"sleep-{number}": SLEEP for number in range(20)}) as daemon:
        pids = [task["pid"] for task in daemon.rpc("task.status")["tasks"]]
        assert all(pids), pids
        daemon.stop(signal.SIGTERM)
        assert not any(processes.alive(pid) for pid in pids)


@case()
def nasty_79_sigint_stops_every_task_and_ends_with_0():
    with Daemon({"sleep": SLEEP, "beats": beater()}) as daemon:
        daemon.reaches("beats", "healthy")
        daemon.stop(signal.SIGINT)


@case()
def nasty_79_a_second_signal_kills_what_does_not_stop():
    with Daemon({"stubborn": {**STUBBORN, "stop": {"timeout": "300s"}}}) as daemon:
        pid = daemon.reaches("stubborn", "healthy")["pid"]
        daemon.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert processes.alive(pid), "killed by the first signal"
        begin = now()
        daemon.send_signal(signal.SIGTERM)
        equal(daemon.wait(), 0, "exit code")
        assert now() - begin < 20, "the second signal was not obeyed at once"


@case()
def nasty_24_a_task_that_ignores_sigterm_is_killed_at_its_stop_timeout():
    with Daemon({"stubborn": {**STUBBORN, "stop": {"timeout": "600ms"}}}) as daemon:
        daemon.reaches("stubborn", "healthy")
        time.sleep(0.2)  # until the shell has set its trap
        begin = now()
        equal(daemon.ctl("stop", "stubborn").code, 0, "stop")
        assert now() - begin >= 0.6, "killed before its time"
        status = daemon.status("stubborn")
        equal((status["status"], status["last_exit"]["signal"]), ("stopped", "KILL"), "the end")


@case()
def nasty_25_a_stopped_process_is_continued_so_that_it_can_end():
    with Daemon({"sleep": {**SLEEP, "stop": {"timeout": "60s"}}}) as daemon:
        os.kill(daemon.reaches("sleep", "healthy")["pid"], signal.SIGSTOP)
        begin = now()
        equal(daemon.ctl("stop", "sleep").code, 0, "stop")
        assert now() - begin < 30
        equal(daemon.status("sleep")["last_exit"]["signal"], "TERM", "it ended by TERM")


@case()
def the_stop_signal_is_the_configured_one():
    with Daemon() as daemon:
        daemon.rpc("task.add", {"name": "polite", "spec": {
            "command": shell(f"trap 'echo quit > {daemon.path('said')}; exit 0' QUIT; while :; do sleep 0.05; done"),
            "stop": {"signal": "QUIT"}}})
        time.sleep(0.3)
        equal(daemon.ctl("stop", "polite").code, 0, "stop")
        equal(daemon.read("said"), "quit\n", "its last words")


@contextlib.contextmanager
def freezer():
    """A cgroup of the old freezer, version 1: what is frozen in it lies in an uninterruptible sleep that SIGKILL does not
    end before it is thawed. Gives its path."""
    need_root("a freezer")
    if not os.path.isdir("/sys/fs/cgroup/freezer"):
        raise Skip("no freezer of version 1, the only one that holds a process against SIGKILL")
    place = f"/sys/fs/cgroup/freezer/vigil-test-{os.getpid()}"
    os.mkdir(place)
    try:
        yield place
    finally:
        write(f"{place}/freezer.state", "THAWED")
        eventually(lambda: not os.rmdir(place) if not text_of(f"{place}/cgroup.procs") else None, what="the freezer is empty")


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


@case(timeout=120)
def nasty_26_what_sigkill_does_not_end_is_named_and_holds_up_no_other_task_and_a_shutdown_only_for_a_while():
    tasks = {"stuck": {"command": shell("trap '' TERM; exec sleep 1000"), "stop": {"timeout": "200ms"}}, "other": SLEEP}
    with freezer() as place, Daemon(tasks, ends_with=1) as daemon:
        pid = daemon.reaches("stuck", "healthy")["pid"]
        eventually(lambda: processes.command_line(pid) == "sleep 1000", what="it ignores SIGTERM")
        write(f"{place}/cgroup.procs", str(pid))
        write(f"{place}/freezer.state", "FROZEN")
        eventually(lambda: text_of(f"{place}/freezer.state") == "FROZEN\n", what="it is frozen")
        equal(daemon.ctl("stop", "stuck", "--timeout", "1s").code, 124, "stop")
        equal(daemon.status("stuck")["status"], "stopping", "state")
        equal(daemon.ctl("restart", "other").code, 0, "the other task")
        eventually(lambda: f"{pid} (sleep, in uninterruptible sleep)" in daemon.log, what="it is named")
        begin = now()
        daemon.send_signal(signal.SIGTERM)
        equal(daemon.wait(60), 1, "exit code of a shutdown that left something")
        took = now() - begin
        assert processes.alive(pid), "it was to survive its daemon"
        assert took < 40, f"the shutdown took {took:.1f} s"
        write(f"{place}/freezer.state", "THAWED")
        # Its parent is this program by now.
        equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), -signal.SIGKILL, "what ends it after all")
        # What is kept of it is the next daemon's to tidy up.
        daemon.start()
        daemon.ends_with = 0


@case(timeout=180)
def nasty_26_a_daemon_after_a_shutdown_waits_for_what_sigkill_has_not_ended_and_starts_no_second_copy():
    stuck = {"command": shell("trap '' TERM; exec sleep 1000"), "stop": {"timeout": "200ms"}, "ready": {"on": "exec"}}
    with freezer() as place, Daemon({"stuck": stuck, "dropped": stuck, "other": SLEEP}, ends_with=1) as daemon:
        pids = {name: daemon.reaches(name, "healthy")["pid"] for name in ("stuck", "dropped")}
        for pid in pids.values():
            eventually(lambda: processes.command_line(pid) == "sleep 1000", what="it ignores SIGTERM")
            write(f"{place}/cgroup.procs", str(pid))
        write(f"{place}/freezer.state", "FROZEN")
        eventually(lambda: text_of(f"{place}/freezer.state") == "FROZEN\n", what="they are frozen")
        # What an operator wanted of a task does not outlive a shutdown.
        equal(daemon.ctl("stop", "stuck", "--timeout", "1s").code, 124, "stop")
        daemon.send_signal(signal.SIGTERM)
        equal(daemon.wait(60), 1, "exit code of a shutdown that left something")
        equal(run([cases.VIGILD, "-c", daemon.config_path, "--cleanup"]).code, 1, "a clean-up cannot end them either")
        del daemon.config["tasks"]["dropped"]
        daemon.write_config(json.dumps(daemon.config))
        daemon.start()
        for name, pid in pids.items():
            found = daemon.status(name)
            equal((found["status"], found["pid"], found["generation"]), ("stopping", pid, 1), name)
        equal((daemon.reaches("other", "healthy")["generation"], daemon.status("other")["restart_attempts"]), (1, 0), "the other task")
        write(f"{place}/freezer.state", "THAWED")
        # Their parent is this program by now.
        for pid in pids.values():
            equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), -signal.SIGKILL, "what ends it after all")
        after = daemon.started_again("stuck", 1)
        equal((after["generation"], after["restart_attempts"]), (2, 0), "one start, of which no attempt is spent")
        eventually(lambda: not [task for task in daemon.rpc("task.status")["tasks"] if task["name"] == "dropped"],
                   what="what is configured no longer is gone with its process")
        daemon.ends_with = 0


@case()
def nasty_29_grandchildren_in_process_groups_of_their_own_end_with_the_task():
    # What job control of a shell makes: a group for each job, all of one session.
    jobs = "set -m; (sleep 1000; :) & (sh -c 'sleep 1000; :'; :) & trap '' TERM; sleep 1000; :"
    with Daemon({"tree": {"command": ["/bin/bash", "-c", jobs], "stop": {"timeout": "500ms"}}}) as daemon:
        def tree():
            found = [pid for pid in daemon.task_processes() if processes.alive(pid)]
            return found if sum(processes.command_line(pid) == "sleep 1000" for pid in found) == 3 else None
        tree = eventually(tree, what="the tree stands")
        assert len({os.getpgid(pid) for pid in tree}) >= 3, "the jobs are in groups of their own"
        equal(daemon.ctl("stop", "tree").code, 0, "stop")
        # The answer comes when the whole tree is gone, not when its first process is.
        left = [pid for pid in tree if processes.alive(pid)]
        assert not left, processes.describe(left)


@case()
def nasty_18_a_task_whose_main_process_dies_takes_its_children_along():
    with Daemon() as daemon:
        daemon.rpc("task.add", {"name": "leader", "spec": {
            "command": shell(f"sleep 1000 & echo $! > {daemon.path('child')}; exec sleep 1001"),
            "restart": {"base_delay": "100ms", "jitter": 0}}})
        child = int(daemon.read("child"))
        before = daemon.status("leader")
        os.kill(before["pid"], signal.SIGKILL)
        daemon.started_again("leader", before["generation"])
        assert not processes.alive(child), "the child of the ended run lives on"


@case()
def nasty_22_a_double_fork_is_reaped_when_it_ends():
    with Daemon() as daemon:
        forks = f"(setsid sleep 0.2 &); (setsid sleep 0.3 &); echo x > {daemon.path('forked')}; exec sleep 1000"
        daemon.rpc("task.add", {"name": "forks", "spec": {"command": shell(forks)}})
        daemon.read("forked")
        leader = daemon.status("forks")["pid"]
        eventually(lambda: daemon.task_processes() == [leader], what="the orphans are reaped")
        equal(daemon.status("forks")["generation"], 1, "their end is not the task's")


@case()
def nasty_80_a_shutdown_during_a_delay_a_start_and_a_stop_starts_nothing_and_ends():
    tasks = {"delayed": failing(base_delay="400ms"), "stubborn": {**STUBBORN, "stop": {"timeout": "900ms"}},
             "starting": {"command": ["/bin/sleep", "1000"], "ready": {"on": "notify", "timeout": "60s"}}}
    with Daemon(tasks) as daemon:
        daemon.reaches("delayed", "failed")
        daemon.reaches("stubborn", "healthy")
        equal(daemon.status("starting")["status"], "starting", "starting")
        time.sleep(0.2)
        daemon.rpc("task.stop", {"name": "stubborn", "wait": False})
        begin = now()
        daemon.stop()
        assert now() - begin < 20, "the end took too long"


@case()
def nasty_31_a_restart_while_stopping_makes_one_new_run():
    with Daemon({"stubborn": {**STUBBORN, "stop": {"timeout": "600ms"}}}) as daemon:
        generation = daemon.reaches("stubborn", "healthy")["generation"]
        time.sleep(0.2)
        daemon.rpc("task.stop", {"name": "stubborn", "wait": False})
        equal(daemon.status("stubborn")["status"], "stopping", "stopping")
        equal(daemon.ctl("restart", "stubborn").code, 0, "restart")
        equal((daemon.status("stubborn")["status"], daemon.status("stubborn")["generation"]),
              ("healthy", generation + 1), "after the restart")


@case()
def nasty_33_a_removed_task_is_gone_when_its_tree_is_and_its_name_is_free():
    with Daemon({"stubborn": {**STUBBORN, "stop": {"timeout": "500ms"}}}) as daemon:
        pid = daemon.reaches("stubborn", "healthy")["pid"]
        time.sleep(0.2)
        with daemon.client() as client:
            wanted = client.request("task.remove", {"name": "stubborn"})
            refused = daemon.client().refused("task.add", {"name": "stubborn", "spec": SLEEP})
            equal(refused.kind, "AlreadyExists", "the name is taken until the task is gone")
            answer = client.line()
            equal(answer["id"], wanted, "the removal's answer")
            assert "result" in answer, answer
        assert not processes.alive(pid)
        equal(daemon.ctl("status", "stubborn").code, 4, "no such task")
        equal(daemon.ctl("add", "stubborn", "--", "/bin/sleep", "1000").code, 0, "the name is free")


@case()
def nasty_81_a_task_that_signals_its_group_reaches_neither_the_daemon_nor_another_task():
    with Daemon({"other": SLEEP}) as daemon:
        rude = f"trap '' TERM HUP INT; kill -TERM 0; kill -HUP 0; kill -INT 0; echo said >{daemon.path('rude')}; exec sleep 1000"
        daemon.rpc("task.add", {"name": "rude", "spec": {"command": shell(rude), "stop": {"timeout": "100ms"}}})
        daemon.read("rude")
        daemon.rpc("task.add", {"name": "fatal", "spec": {
            "command": shell("kill -KILL 0; exec sleep 1000"), "restart": {"policy": "never"}}})
        equal(daemon.reaches("fatal", "dead")["last_exit"]["signal"], "KILL", "it reached itself")
        equal(daemon.status("other")["generation"], 1, "the other task")
        equal(daemon.status("rude")["generation"], 1, "the first one")
        always(lambda: daemon.process.poll() is None, 0.2, "vigild runs")


@case()
def nasty_81_a_task_of_another_user_cannot_signal_the_daemon():
    need_root("a task of another user")
    with Daemon({"other": SLEEP}) as daemon:
        # Its parent is vigild itself.
        hostile = shell("echo $PPID; for s in TERM INT KILL STOP; do kill -$s $PPID && echo reached $s; done; echo tried")
        daemon.rpc("task.add", {"name": "hostile", "spec": {
            "command": hostile, "user": "nobody", "restart": {"policy": "never"},
            "output": {"path": daemon.path("hostile.log")}}})
        daemon.reaches("hostile", "completed")
        said = eventually(lambda: (text := text_of(daemon.path("hostile.log"))).endswith("tried\n") and text, what="it tried")
        equal(said.splitlines()[0], str(daemon.pid), "whom it meant")
        assert "reached" not in said, said
        equal(daemon.status("other")["generation"], 1, "vigild runs, and so do the others")


@case(timeout=120, serial=True)
def nasty_17_three_hundred_tasks_that_die_at_once_are_all_seen_while_the_control_socket_answers():
    count = 300
    tasks = {f"t{number}": {**SLEEP, "restart": {"base_delay": "200ms", "jitter": 0}} for number in range(count)}
    with Daemon({**tasks, "beats": beater(timeout="5s")}) as daemon:
        daemon.reaches("beats", "healthy")
        pids = [task["pid"] for task in daemon.rpc("task.status")["tasks"] if task["name"] != "beats"]
        with daemon.client() as client:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            answers = []

            def lives():
                return {(task["status"], task["generation"], task["restart_attempts"])
                        for task in client.call("task.status")["tasks"] if task["name"] != "beats"}

            def all_back():
                begin = now()
                healthy = client.call("daemon.status")["tasks"]["healthy"]
                answers.append(now() - begin)
                return healthy == count + 1 and lives() == {("healthy", 2, 1)}
            eventually(all_back, what="each has come back once")
        equal(daemon.status("beats")["generation"], 1, "nobody else was hurt")
        answers.sort()
        print(f"{len(answers)} answers, median {answers[len(answers) // 2] * 1000:.1f} ms, worst {answers[-1] * 1000:.1f} ms")
        assert answers[len(answers) // 2] < 0.1 * cases.PATIENCE, answers


if __name__ == "__main__":
    main()
