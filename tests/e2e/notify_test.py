"""The notify socket: what counts, what is ignored, and that nothing a sender does disables it."""
import array
import os
import signal
import socket
import time

import processes
from cases import always, case, contains, equal, eventually, main, need_program, need_root
from harness import PYTHON, SLEEP, Daemon, beater, datagrams, run, shell, worker


def dropped(daemon):
    return daemon.rpc("daemon.status")["dropped"]


@case()
def nasty_39_empty_binary_unknown_and_oversized_datagrams_are_ignored_and_the_socket_lives():
    with Daemon({"beats": {**beater(), "heartbeat": {"timeout": "2s", "access": "all"}}}) as daemon:
        daemon.reaches("beats", "healthy")
        sender = datagrams(daemon.notify_socket("beats"))
        for message in (b"", b"\0", b"\xff" * 100, b"\n" * 100, b"=", b"===", b"NOTHING=1", b"READY=2", b"ERRNO=x",
                        b"WATCHDOG_USEC=-1", b"WATCHDOG_USEC=0", b"WATCHDOG_USEC=99999999999999999999",
                        b"MAINPID=1", b"MAINPID=-1", b"MAINPID=x", b"EXTEND_TIMEOUT_USEC=-5",
                        b"STATUS=" + b"x" * 4000, b"STATUS=\xff\xfe", b"STATUS=a\0b", b"x" * 4097, b"x" * 100_000):
            try:
                sender.send(message)
            except OSError as error:
                assert len(message) > 4096, f"{message[:20]}: {error}"
        sender.send(b"STATUS=after all that")
        eventually(lambda: daemon.status("beats")["status_text"] == "after all that", what="the socket is read")
        counts = dropped(daemon)
        assert counts["notify_too_long"] >= 1 and counts["notify_malformed"] == 1, counts
        status = daemon.status("beats")
        equal((status["status"], status["generation"]), ("healthy", 1), "the task")
        sender.close()


@case()
def nasty_6_and_38_a_strangers_message_is_counted_and_has_no_effect():
    with Daemon({"waits": {**SLEEP, "ready": {"on": "notify", "timeout": "60s"}}}) as daemon:
        eventually(lambda: daemon.status("waits")["pid"], what="the task runs")
        sender = datagrams(daemon.notify_socket("waits"))
        sender.send(b"READY=1")  # from the test, which is no part of the task
        eventually(lambda: dropped(daemon)["notify_strangers"] >= 1, what="it is counted")
        equal(daemon.status("waits")["status"], "starting", "status")
        sender.close()


@case()
def nasty_38_another_user_cannot_speak_for_a_task():
    need_root()
    with Daemon({"waits": {**SLEEP, "ready": {"on": "notify", "timeout": "60s"}}}) as daemon:
        eventually(lambda: daemon.status("waits")["pid"], what="the task runs")
        path = daemon.notify_socket("waits")
        outcome = run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PYTHON, "-c",
                       "import socket, sys\n"
                       "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', sys.argv[1])", path])
        equal(outcome.code, 0, f"daemons that drop their privileges must reach their socket: {outcome}")
        eventually(lambda: dropped(daemon)["notify_strangers"] >= 1, what="it is counted")
        equal(daemon.status("waits")["status"], "starting", "status")


@case()
def nasty_40_attached_descriptors_are_closed():
    with Daemon({"beats": {**beater(), "heartbeat": {"timeout": "30s", "access": "all"}}}) as daemon:
        daemon.reaches("beats", "healthy")
        sender = datagrams(daemon.notify_socket("beats"))
        before = daemon.descriptors()
        null = os.open("/dev/null", os.O_RDONLY)
        for _ in range(20):
            try:
                sender.sendmsg([b"WATCHDOG=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null] * 50))])
            except PermissionError:
                break  # the socket refuses descriptors altogether (SO_PASSRIGHTS), which will do as well
        sender.send(b"STATUS=sent")
        eventually(lambda: daemon.status("beats")["status_text"] == "sent", what="all were read")
        eventually(lambda: len(processes.descriptors(daemon.pid)) <= before, what="none is left open")
        os.close(null)
        sender.close()


@case()
def nasty_5_a_task_that_never_says_ready_is_stopped_at_its_start_timeout():
    with Daemon({"mute": {**SLEEP, "ready": {"on": "notify", "timeout": "400ms"},
                          "restart": {"base_delay": "50ms", "jitter": 0, "max_attempts": 1}}}) as daemon:
        status = daemon.reaches("mute", "dead")
        equal(status["cause"]["last"]["kind"], "ready-timeout", "cause")
        equal(status["generation"], 2, "runs")


@case()
def nasty_45_a_first_beat_that_never_comes_is_a_start_timeout():
    with Daemon({"mute": {**SLEEP, "heartbeat": {"timeout": "10s", "initial_delay": "400ms"},
                          "restart": {"base_delay": "50ms", "jitter": 0, "max_attempts": 1}}}) as daemon:
        equal(daemon.reaches("mute", "dead")["cause"]["last"]["kind"], "ready-timeout", "cause")


@case()
def watchdog_trigger_is_a_silence_at_once():
    with Daemon() as daemon:
        daemon.rpc("task.add", {"name": "asks", "spec": {
            "command": worker("says.py", "READY=1", "WATCHDOG=trigger"), "ready": {"on": "notify"},
            "heartbeat": {"timeout": "300s"}, "restart": {"base_delay": "60s"}}})
        status = daemon.reaches("asks", "failed")
        equal((status["cause"]["kind"], status["last_exit"]["signal"]), ("heartbeat-timeout", "ABRT"), "end")


@case()
def a_task_may_change_its_own_timeout_and_its_main_process():
    need_program("systemd-notify")
    with Daemon() as daemon:
        daemon.rpc("task.add", {"name": "changes", "spec": {
            "command": worker("says.py", "READY=1\nWATCHDOG_USEC=400000"), "ready": {"on": "notify"},
            "heartbeat": {"timeout": "300s"}, "restart": {"base_delay": "60s"}}})
        equal(daemon.reaches("changes", "failed")["cause"]["kind"], "heartbeat-timeout", "it is held to what it said")
        daemon.rpc("task.add", {"name": "moves", "spec": {
            "command": shell(f"sleep 1000 & echo $! > {daemon.path('child')}; systemd-notify --ready MAINPID=$!; wait"),
            "ready": {"on": "notify"}, "restart": {"base_delay": "60s"}}})
        child = int(daemon.read("child"))
        eventually(lambda: daemon.status("moves")["pid"] == child, what="the main process is the one it named")
        os.kill(child, signal.SIGKILL)
        # How it ended is known where the kernel tells it of processes that are not ours; that it ended always is.
        equal(daemon.reaches("moves", "failed")["generation"], 1, "its end is the task's")


@case()
def nasty_82_who_is_connected_to_a_notify_socket_that_is_removed_is_heard_and_the_next_run_has_a_new_one():
    with Daemon({"beats": beater(timeout="700ms")}) as daemon:
        before = daemon.reaches("beats", "healthy")
        first = daemon.notify_socket("beats")
        os.unlink(first)
        always(lambda: daemon.status("beats")["generation"] == 1, 1.0, "beats over the connection count")
        os.kill(before["pid"], signal.SIGKILL)
        daemon.started_again("beats", 1)
        assert daemon.notify_socket("beats") != first


@case()
def nasty_82_who_finds_its_notify_socket_removed_misses_a_beat_and_the_next_run_has_a_new_one():
    # A connection of its own for each beat, as systemd-notify has.
    calls = r"""
import os, socket, time
while True:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1\nWATCHDOG=1", os.environ["NOTIFY_SOCKET"])
    except FileNotFoundError:
        pass
    time.sleep(0.1)
"""
    with Daemon({"calls": {**beater(timeout="1s"), "command": [PYTHON, "-c", calls]}}) as daemon:
        daemon.reaches("calls", "healthy")
        first = daemon.notify_socket("calls")
        os.unlink(first)
        after = daemon.started_again("calls", 1)
        equal(after["last_exit"]["signal"], "ABRT", "the end of the run that could not be heard")
        contains(daemon.log, "heartbeat")
        assert daemon.notify_socket("calls") != first


@case()
def a_pipe_serves_programs_that_cannot_open_a_datagram_socket():
    with Daemon({"pipe": {"command": shell("echo READY=1 >&$VIGIL_HEARTBEAT_FD; for i in 1 2 3 4 5 6; do sleep 0.2; "
                                           "echo >&$VIGIL_HEARTBEAT_FD; done; sleep 1000"),
                          "ready": {"on": "notify"}, "heartbeat": {"timeout": "900ms", "fd": True},
                          "restart": {"base_delay": "60s"}}}) as daemon:
        begin = daemon.reaches("pipe", "healthy")
        equal(begin["generation"], 1, "generation")
        time.sleep(1)
        equal(daemon.status("pipe")["status"], "healthy", "while empty lines come")
        equal(daemon.reaches("pipe", "failed")["cause"]["kind"], "heartbeat-timeout", "when they end")


if __name__ == "__main__":
    main()
