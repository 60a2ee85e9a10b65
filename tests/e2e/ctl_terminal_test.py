"""vigilctl and what surrounds it: terminals, pipes, interrupts, and a daemon that is not there."""
import json
import os
import pty
import signal
import subprocess
import time

import cases
from cases import case, contains, equal, eventually, main
from harness import SLEEP, Daemon, failing, run, shell

UNREACHABLE, INTERRUPTED = 69, 130


def on_a_terminal(daemon, *arguments, **environment):
    """What vigilctl writes to a terminal."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen([cases.VIGILCTL, "-s", daemon.socket, *arguments],
                             stdin=theirs, stdout=theirs, stderr=theirs,
                             env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment})
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:
        pass  # the other end was closed
    child.wait()
    os.close(ours)
    return said


@case()
def colour_is_for_terminals_and_not_with_no_color():
    with Daemon({"web": SLEEP, "crash": failing(max_attempts=0)}) as daemon:
        daemon.reaches("crash", "dead")
        assert b"\x1b[" in on_a_terminal(daemon, "status"), "no colour on a terminal"
        assert b"\x1b[" not in on_a_terminal(daemon, "status", NO_COLOR="1"), "colour in spite of NO_COLOR"
        assert b"\x1b[" not in on_a_terminal(daemon, "status", "--json"), "colour in JSON"
        assert "\x1b[" not in daemon.ctl("status").out, "colour in a pipe"


@case()
def nasty_52_what_a_task_says_cannot_reach_the_terminal():
    says = shell("printf 'READY=1\\nSTATUS=\\033[2J\\007evil\\n' >&$VIGIL_HEARTBEAT_FD; exec sleep 1000")
    with Daemon({"evil": {"command": says, "ready": {"on": "notify"},
                          "heartbeat": {"timeout": "300s", "fd": True}}}) as daemon:
        daemon.reaches("evil", "healthy")
        for arguments in (["status"], ["show", "evil"], ["status", "evil"]):
            said = daemon.ctl(*arguments).out
            assert "\x1b" not in said and "\x07" not in said, repr(said)
        contains(daemon.ctl("show", "evil").out, "evil")


@case()
def an_unreachable_daemon_is_69_and_the_message_names_the_socket():
    for socket in ("/nowhere/control.sock", "/etc/passwd", "/tmp"):
        outcome = run([cases.VIGILCTL, "-s", socket, "status"])
        equal(outcome.code, UNREACHABLE, outcome)
        contains(outcome.err, socket)
    outcome = run([cases.VIGILCTL, "--socket", "/tmp/" + "x" * 200, "status"])
    assert outcome.code in (2, UNREACHABLE), outcome


@case()
def wrong_usage_is_2_with_nothing_on_stdout():
    with Daemon() as daemon:
        for arguments in (["fly"], ["stop"], ["status", "--colour"], ["add"], ["signal", "TERM"], ["show", "a", "b"],
                          ["stop", "a", "--timeout", "soon"], ["wait", "a", "--for=luck"]):
            outcome = daemon.ctl(*arguments)
            equal(outcome.code, 2, f"{arguments}: {outcome}")
            equal(outcome.out, "", f"stdout of {arguments}")


@case()
def the_socket_option_goes_before_the_environment():
    with Daemon({"a": SLEEP}) as daemon:
        outcome = daemon.ctl("-s", daemon.socket, "status", "a", env={"VIGIL_SOCKET": "/nowhere"})
        equal(outcome.code, 0, outcome)
        equal(daemon.ctl("status", env={"VIGIL_SOCKET": "/nowhere"}).code, UNREACHABLE, "the environment counts")


@case()
def a_closed_pipe_ends_it_without_a_crash():
    with Daemon({f"task-{number}": {**SLEEP, "autostart": False} for number in range(200)}) as daemon:
        script = '"$0" -s "$1" status | head -n 1 >&2; "$0" -s "$1" status --json | true; echo over'
        done = run(["/bin/sh", "-c", script, cases.VIGILCTL, daemon.socket])
        equal(done.out, "over\n", done)
        assert "terminate" not in done.err and "Aborted" not in done.err, done.err


@case()
def an_interrupt_is_130_and_the_order_stands():
    with Daemon({"web": SLEEP}) as daemon:
        waiting = subprocess.Popen([cases.VIGILCTL, "-s", daemon.socket, "wait", "web", "--for=exit"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        eventually(lambda: daemon.rpc("daemon.status")["clients"] >= 2, what="it waits")
        waiting.send_signal(signal.SIGINT)
        waiting.communicate()
        equal(waiting.returncode, INTERRUPTED, "exit code")
        equal(daemon.status("web")["status"], "healthy", "the task")


@case()
def events_json_is_a_line_of_json_for_each_change_as_it_happens():
    with Daemon({"web": SLEEP}) as daemon:
        stream = subprocess.Popen([cases.VIGILCTL, "-s", daemon.socket, "events", "--json"],
                                  stdout=subprocess.PIPE, text=True)
        eventually(lambda: daemon.rpc("daemon.status")["clients"] >= 2, what="it is subscribed")
        time.sleep(0.2)
        daemon.ctl("restart", "web")
        seen = []
        while not (seen and seen[-1]["to"] == "healthy"):
            seen.append(json.loads(stream.stdout.readline()))
        equal({event["name"] for event in seen}, {"web"}, "names")
        equal(seen[0]["from"], "healthy", "the first change")
        equal(seen[-1]["generation"], 2, "the new run")
        assert [event["seq"] for event in seen] == sorted({event["seq"] for event in seen}), seen
        stream.send_signal(signal.SIGINT)
        equal(stream.wait(20), INTERRUPTED, "exit code")
        stream.stdout.close()


@case()
def events_go_on_when_the_daemon_comes_back():
    with Daemon({"web": SLEEP}) as daemon:
        stream = subprocess.Popen([cases.VIGILCTL, "-s", daemon.socket, "events"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        eventually(lambda: daemon.rpc("daemon.status")["clients"] >= 2, what="it is subscribed")
        time.sleep(0.2)
        daemon.stop()
        contains(stream.stdout.readline(), "web")
        daemon.start()
        notes = ""
        while "is there again" not in notes:
            line = stream.stderr.readline()
            assert line, notes
            notes += line
        daemon.ctl("stop", "web")
        seen = ""
        while "-> stopped" not in seen:
            seen = stream.stdout.readline()
        stream.send_signal(signal.SIGINT)
        equal(stream.wait(20), INTERRUPTED, "exit code")


if __name__ == "__main__":
    main()
