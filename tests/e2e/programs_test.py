"""Programs as Debian ships them, unmodified: what speaks to systemd is supervised as it is."""
import os
import signal
import time

import processes
from cases import case, contains, equal, eventually, main, need_program
from client import moment
from harness import Daemon, shell, worker

QUICK = {"base_delay": "100ms", "jitter": 0}


def is_restarted_when_its_main_process_is_killed(daemon, name):
    before = daemon.reaches(name, "healthy", limit=60)
    os.kill(before["pid"], signal.SIGKILL)
    after = daemon.started_again(name, before["generation"], limit=60)
    assert after["pid"] != before["pid"]
    equal(after["restarts_total"], 1, "restarts_total")
    equal(after["last_exit"]["signal"], "KILL", "last_exit.signal")


@case(timeout=120)
def redis_becomes_healthy_by_its_readiness_and_is_restarted_when_killed():
    redis = need_program("redis-server")
    with Daemon() as daemon:
        # redis says READY=1 when it was started for systemd, and STATUS= with it.
        daemon.rpc("task.add", {"name": "redis", "spec": {
            "command": [redis, "--supervised", "systemd", "--port", "0", "--save", "",
                        "--unixsocket", daemon.path("redis.sock"), "--dir", daemon.directory],
            "ready": {"on": "notify", "timeout": "60s"}, "restart": QUICK}})
        status = daemon.status("redis")
        equal(status["status"], "healthy", "answered as healthy")
        contains(status["status_text"] or "", "Ready to accept connections")
        is_restarted_when_its_main_process_is_killed(daemon, "redis")


@case(timeout=120)
def haproxy_becomes_healthy_by_its_readiness_and_is_restarted_with_its_workers():
    haproxy = need_program("haproxy")
    with Daemon() as daemon:
        with open(daemon.path("haproxy.cfg"), "w") as file:
            file.write(f"global\n  nbthread 1\ndefaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1s\n"
                       f"  timeout server 1s\nlisten here\n  bind unix@{daemon.path('haproxy.sock')}\n"
                       f"  server none 127.0.0.1:1\n")
        daemon.rpc("task.add", {"name": "haproxy", "spec": {
            "command": [haproxy, "-Ws", "-f", daemon.path("haproxy.cfg")],
            "ready": {"on": "notify", "timeout": "60s"}, "restart": QUICK}})
        master = daemon.reaches("haproxy", "healthy")["pid"]
        workers = eventually(lambda: processes.children(master), what="haproxy's worker")
        is_restarted_when_its_main_process_is_killed(daemon, "haproxy")
        # The worker of the killed master belongs to the ended run, and must not serve beside the new one.
        assert not any(processes.alive(pid) for pid in workers), processes.describe(workers)


@case(serial=True)
def systemd_notify_in_a_shell_task_returns_within_100_ms():
    notify = need_program("systemd-notify")
    with Daemon() as daemon:
        # systemd-notify waits by BARRIER=1 until its message was read, and ends before anybody can look at it.
        daemon.rpc("task.add", {"name": "shell", "spec": {
            "command": shell(f"begin=$(date +%s%N); {notify} --ready --status=serving; code=$?; end=$(date +%s%N); "
                             f"echo $code $(((end - begin) / 1000000)) >> {daemon.path('times')}; exec sleep 1000"),
            "ready": {"on": "notify", "timeout": "20s"}, "restart": QUICK}})
        for count in range(1, 6):
            equal(daemon.reaches("shell", "healthy")["status_text"], "serving", "status_text")
            eventually(lambda: len(daemon.read("times").splitlines()) == count, what="it has written its time")
            equal(daemon.ctl("restart", "shell").code, 0, "restart")
        lines = [line.split() for line in daemon.read("times").splitlines()]
        assert all(code == "0" for code, _ in lines), lines
        # The best of several: starting the program is part of the time, and the machine may be busy.
        assert min(int(milliseconds) for _, milliseconds in lines) < 100, lines


@case(timeout=120, serial=True)
def nasty_43_a_stopped_python_worker_is_found_within_50_ms_after_its_deadline():
    lateness = []
    with Daemon() as daemon:
        daemon.rpc("task.add", {"name": "worker", "spec": {
            "command": worker("beater.py", 0.1, daemon.path("beat")), "ready": {"on": "notify"},
            "heartbeat": {"timeout": "1s"}, "restart": {"base_delay": "300ms", "jitter": 0, "max_attempts": 10}}})
        with daemon.client() as client:
            client.call("events.subscribe", {"name": "worker"})
            for _ in range(3):
                before = daemon.reaches("worker", "healthy")
                time.sleep(0.35)
                os.kill(before["pid"], signal.SIGSTOP)
                events = client.events(lambda event: event["to"] == "failed")
                found = next(event for event in events if event["from"] == "healthy")
                equal(found["cause"]["kind"], "heartbeat-timeout", "cause")
                last_beat = float(daemon.read(f"beat.{before['generation']}"))
                lateness.append(moment(found["time"]) - (last_beat + 1.0))
                # ABRT, and CONT after it: a stopped process does not stay one.
                equal(events[-1]["last_exit"]["signal"], "ABRT", "the signal it died of")
                equal(events[-1]["next_start_in_ms"] // 100, 3 * 2 ** (events[-1]["restart_attempts"] - 1),
                      "the delay of this attempt, in tenths of a second")
                after = daemon.started_again("worker", before["generation"])
                equal(after["generation"], before["generation"] + 1, "generation")
    # 5 ms of grace at the lower end: the event's time is cut to milliseconds, and the two clocks are read apart.
    assert min(lateness) > -0.005, f"judged too early: {lateness}"
    assert min(lateness) < 0.05, f"found late: {lateness}"


if __name__ == "__main__":
    main()
