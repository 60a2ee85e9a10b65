"""Ways to end a run and to hold it still, and what is known of what it uses."""
import os
import resource
import signal
import time

import processes
from cases import Skip, always, case, contains, equal, eventually, main, need_program, need_root, now
from harness import SLEEP, Daemon, beater, shell
from kinds import daemon_of


@case()
def pause_freezes_every_process_and_suspends_the_judgement_of_heartbeats():
    for kind in ("root with a cgroup", "root"):
        with daemon_of(kind, {"beats": beater(timeout="600ms"), "idle": {**SLEEP, "autostart": False}}) as daemon:
            pid = daemon.reaches("beats", "healthy")["pid"]
            equal(daemon.ctl("pause", "beats").code, 0, "pause")
            assert daemon.status("beats")["paused"]
            stands_still = (lambda: "frozen 1" in daemon.cgroup.read("tasks/beats.1/cgroup.events")) \
                if daemon.cgroup else (lambda: processes.state(pid) == "T")
            eventually(stands_still, what=f"{kind}: the process stands still")
            time.sleep(1.5)
            found = daemon.status("beats")
            equal((found["status"], found["generation"], found["pid"]), ("healthy", 1, pid), "nothing was judged")
            contains(daemon.ctl("status").out, "paused")
            equal(daemon.ctl("resume", "beats").code, 0, "resume")
            assert not daemon.status("beats")["paused"]
            eventually(lambda: processes.state(pid) in ("S", "R"), what="it goes on")
            always(lambda: daemon.status("beats")["generation"] == 1, 1.0, "it beats as before")
            refused = daemon.ctl("pause", "idle")
            equal(refused.code, 1, "pause of what does not run")
            contains(refused.err, "idle")
            # What is paused can be stopped all the same.
            equal(daemon.ctl("pause", "beats").code, 0, "pause")
            equal(daemon.ctl("stop", "beats").code, 0, "stop")


@case()
def there_is_room_for_the_descriptors_of_many_tasks_from_the_start():
    with Daemon({f"t{i}": {**SLEEP, "autostart": False} for i in range(500)}) as daemon:
        room = int(processes.status_field(daemon.pid, "FDSize")[0])
        assert room >= min(1500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]), room


@case()
def a_command_to_stop_runs_with_the_tasks_environment_and_the_main_pid():
    with Daemon() as daemon:
        ask = shell(f'echo "$VIGIL_TASK $COLOUR $VIGIL_MAIN_PID" >{daemon.path("asked")}; kill -USR1 $VIGIL_MAIN_PID')
        daemon.rpc("task.add", {"name": "polite", "spec": {
            "command": shell("trap 'exit 0' USR1; trap '' TERM; while :; do sleep 0.05; done"),
            "env": {"COLOUR": "red"}, "stop": {"command": ask, "timeout": "60s"}}})
        time.sleep(0.3)
        pid = daemon.status("polite")["pid"]
        begin = now()
        equal(daemon.ctl("stop", "polite").code, 0, "stop")
        assert now() - begin < 30
        equal(daemon.read("asked"), f"polite red {pid}\n", "what the command saw")
        equal(daemon.status("polite")["last_exit"]["code"], 0, "how it ended")


@case()
def a_command_to_stop_that_fails_is_said_and_followed_by_the_signal():
    for command in (["/bin/false"], ["/no/such/program"]):
        with Daemon({"sleep": {**SLEEP, "stop": {"command": command, "timeout": "60s"}}}) as daemon:
            begin = now()
            equal(daemon.ctl("stop", "sleep").code, 0, "stop")
            assert now() - begin < 30
            equal(daemon.status("sleep")["last_exit"]["signal"], "TERM", "the signal after all")
            contains(daemon.log, "stop.command")


@case()
def signals_follow_one_another():
    with Daemon() as daemon:
        daemon.rpc("task.add", {"name": "picky", "spec": {
            "command": shell(f"trap 'echo INT >>{daemon.path('got')}' INT; trap 'echo QUIT >>{daemon.path('got')}; exit 0' QUIT; "
                             "while :; do sleep 0.05; done"),
            "stop": {"signals": [{"signal": "INT", "wait": "300ms"}, {"signal": "QUIT", "wait": "60s"}]}}})
        time.sleep(0.3)
        equal(daemon.ctl("stop", "picky").code, 0, "stop")
        equal(daemon.read("got"), "INT\nQUIT\n", "the signals that came")


@case()
def show_tells_what_the_processes_use_and_what_the_last_run_used():
    for kind in ("root with a cgroup", "root"):
        burn = shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 1000 & sleep 1000; :")
        with daemon_of(kind, {"burns": {"command": burn}}) as daemon:
            def used():
                found = daemon.rpc("task.status", {"name": "burns", "details": True})["tasks"][0]["resources"]
                return found if found and found["processes"] == 3 and found["cpu_ms"] > 0 else None
            found = eventually(used, what=f"{kind}: three processes and some CPU time")
            assert found["memory_bytes"] > 100_000, found
            contains(daemon.ctl("show", "burns").out, "3 processes")
            equal(daemon.status("burns")["resources"], None, "nothing is looked up unasked")
            os.kill(daemon.status("burns")["pid"], signal.SIGKILL)
            last = eventually(lambda: daemon.status("burns")["last_exit"], what="its end")
            assert last["user_ms"] > 0 and last["max_rss_bytes"] > 100_000, last


@case()
def nasty_85_the_daemons_own_score_for_want_of_memory_is_not_that_of_its_tasks():
    # The unit gives vigild -900, which takes a privilege; any other score shows the same.
    around = [need_program("choom"), "-n", "300", "--"]
    with Daemon({"plain": SLEEP, "first": {**SLEEP, "oom_score_adj": 500}}, wrap=around) as daemon:
        def score(pid):
            with open(f"/proc/{pid}/oom_score_adj") as file:
                return int(file.read())
        equal(score(daemon.pid), 300, "vigild")
        equal(score(daemon.status("plain")["pid"]), 0, "a task")
        equal(score(daemon.status("first")["pid"]), 500, "a task that is to go first")


@case()
def nasty_85_a_task_killed_for_want_of_memory_has_the_cause_oom():
    need_root("a memory cgroup")
    with open("/proc/self/cgroup") as file:
        own = next((line.split(":", 2)[2].strip() for line in file if ":memory:" in line), None)
    if own is None or not os.access("/dev/kmsg", os.R_OK):
        raise Skip("no memory cgroup of version 1, or the kernel's log cannot be read")
    place = f"/sys/fs/cgroup/memory{own}/vigil-test-{os.getpid()}"
    os.mkdir(place)
    try:
        with open(f"{place}/memory.limit_in_bytes", "w") as file:
            file.write("20000000")
        greedy = f"echo $$ >{place}/cgroup.procs; exec /usr/bin/python3 -c 'b = bytearray(200_000_000)'"
        with Daemon({"greedy": {"command": shell(greedy), "restart": {"policy": "never"}}}) as daemon:
            found = daemon.reaches("greedy", "dead")
            equal(found["cause"]["kind"], "oom", "cause")
            equal(found["last_exit"]["signal"], "KILL", "how it ended")
    finally:
        eventually(lambda: not os.rmdir(place), what="the memory cgroup is removed")


if __name__ == "__main__":
    main()
