"""Fair verdicts: nobody dies for the daemon's absence, and nobody pays for another task's noise."""
import os
import signal
import time

import cases
import processes
from cases import case, equal, eventually, main, now
from client import moment
from harness import Daemon, beater, worker


def stop_for(pid, seconds):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


def nobody_was_restarted(daemon):
    for task in daemon.rpc("task.status")["tasks"]:
        equal((task["name"], task["status"], task["generation"]), (task["name"], "healthy", 1), "a task")


@case(serial=True)
def nasty_41_and_42_a_daemon_stopped_longer_than_every_timeout_restarts_nobody():
    tasks = {f"beater-{number}": beater(timeout="700ms", interval=0.1) for number in range(5)}
    with Daemon(tasks) as daemon:
        for name in tasks:
            daemon.reaches(name, "healthy")
        for _ in range(2):
            # The beats of this time are queued until the sockets are full, then lost.
            stop_for(daemon.pid, 3)
            time.sleep(1.5)
            nobody_was_restarted(daemon)


@case(serial=True)
def nasty_42_one_beat_in_the_queue_is_enough_after_the_daemon_was_away():
    # Beats once a second under a timeout of 1.5 s: when the daemon wakes, each task's last beat may be a
    # second old, and the next one a second away.
    with Daemon({"slow": beater(timeout="1500ms", interval=1.0)}) as daemon:
        daemon.reaches("slow", "healthy")
        stop_for(daemon.pid, 4)
        time.sleep(2.5)
        nobody_was_restarted(daemon)


@case(serial=True)
def a_task_that_fell_silent_while_the_daemon_was_away_is_still_found():
    with Daemon({"silent": beater(timeout="700ms")}) as daemon:
        before = daemon.reaches("silent", "healthy")
        os.kill(daemon.pid, signal.SIGSTOP)
        os.kill(before["pid"], signal.SIGSTOP)
        time.sleep(2)
        os.kill(daemon.pid, signal.SIGCONT)
        after = daemon.started_again("silent", before["generation"])
        equal(after["last_exit"]["signal"], "ABRT", "the signal it died of")


@case(serial=True)
def nasty_47_tasks_that_were_frozen_together_with_the_daemon_get_time_for_a_sign_of_life():
    tasks = {f"beater-{number}": beater(timeout="1200ms", interval=0.1) for number in range(5)}
    with Daemon(tasks) as daemon:
        pids = [daemon.reaches(name, "healthy")["pid"] for name in tasks]
        # As a virtual machine that is paused, or everything in a frozen cgroup: the daemon first in both directions,
        # so that it finds every deadline passed and no beat.
        for pid in [daemon.pid, *pids]:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(1.8)
        for pid in [daemon.pid, *pids]:
            os.kill(pid, signal.SIGCONT)
        time.sleep(1.5)
        nobody_was_restarted(daemon)


def answer_times(daemon, during):
    """How long daemon.status took to be answered, again and again, sorted."""
    times = []
    end = now() + during
    with daemon.client() as client:
        while now() < end:
            asked = now()
            client.call("task.status", {"name": "beater-0"})
            times.append(now() - asked)
            time.sleep(0.02)
    return sorted(times)


@case(timeout=120, serial=True)
def nasty_37_a_flood_on_one_socket_neither_delays_nor_kills_another_task():
    seconds = 6
    tasks = {f"beater-{number}": beater(timeout="1s", interval=0.2) for number in range(4)}
    tasks["flood"] = {"command": worker("flooder.py", seconds), "ready": {"on": "notify"},
                      "heartbeat": {"timeout": "10s"}, "autostart": False}
    with Daemon(tasks) as daemon:
        daemon.rpc("task.add", {"name": "victim", "spec": {
            **beater(timeout="1s"), "command": worker("beater.py", 0.1, daemon.path("beat"))}})
        for number in range(4):
            daemon.reaches(f"beater-{number}", "healthy")
        daemon.rpc("task.start", {"name": "flood"})
        with daemon.client() as events:
            events.call("events.subscribe", {"name": "victim"})
            os.kill(daemon.status("victim")["pid"], signal.SIGSTOP)
            answers = answer_times(daemon, seconds - 2)
            found = events.events(lambda event: event["from"] == "healthy")[-1]
        equal(found["cause"]["kind"], "heartbeat-timeout", "cause")
        lateness = moment(found["time"]) - (float(daemon.read("beat.1")) + 1.0)
        sent = int(eventually(lambda: daemon.status("flood")["status_text"], what="the flooder's count").split()[1])
        median, worst = answers[len(answers) // 2], answers[-1]
        print(f"{sent / seconds:.0f} a second; answers: median {median * 1000:.1f} ms, worst {worst * 1000:.1f} ms; "
              f"silence found {lateness * 1000:.1f} ms after its deadline")
        for number in range(4):
            task = daemon.status(f"beater-{number}")
            equal((task["status"], task["generation"]), ("healthy", 1), task["name"])
        assert median < 0.1 * cases.PATIENCE and worst < 1.0 * cases.PATIENCE, (median, worst)
        assert -0.005 < lateness < 0.5 * cases.PATIENCE, lateness
        # How many a Python loop sends on a shared core is for the reader of the line above; that it is a flood
        # is part of the case.
        assert sent / seconds > 20000 / cases.PATIENCE, "no flood"


@case(serial=True)
def a_stopped_and_continued_daemon_still_ends_what_is_due():
    with Daemon({"a": beater()}) as daemon:
        pid = daemon.reaches("a", "healthy")["pid"]
        stop_for(daemon.pid, 1)
        equal(daemon.ctl("stop", "a").code, 0, "stop")
        assert not processes.alive(pid)


if __name__ == "__main__":
    main()
