"""vigilctl: every verb, what it prints where, and its exit codes."""
import json
import os
import subprocess

import cases
from cases import case, contains, equal, eventually, main, now
from harness import SLEEP, Daemon, failing, run, shell

UNREACHABLE, DENIED, INVALID, EXPIRED, INTERRUPTED = 69, 77, 78, 124, 130


def good(daemon, *arguments, **more):
    outcome = daemon.ctl(*arguments, **more)
    equal(outcome.code, 0, f"{arguments}: {outcome}")
    return outcome


def bad(daemon, code, *arguments, **more):
    """A verb that fails: nothing on stdout, the reason on stderr."""
    outcome = daemon.ctl(*arguments, **more)
    equal(outcome.code, code, f"{arguments}: {outcome}")
    assert outcome.err.strip(), f"no reason given: {arguments}"
    return outcome


@case()
def status_shows_every_task_and_alone_it_means_status():
    with Daemon({"web": SLEEP, "idle": {**SLEEP, "autostart": False}, "broken": failing(7, max_attempts=0)}) as daemon:
        daemon.reaches("broken", "dead")
        table = good(daemon, "status")
        contains(table.out, "web", "healthy", "idle", "created", "broken", "dead", "exit code 7")
        equal(table.err, "", "stderr")
        contains(good(daemon).out, "web", "healthy")
        contains(good(daemon, "status", "web").out, "web")
        assert "idle" not in daemon.ctl("status", "web").out
        bad_names = daemon.ctl("status", "idle")
        equal(bad_names.code, 3, "status NAME of a task that is not healthy")
        contains(bad_names.out, "idle")
        equal(daemon.ctl("status", "web", "broken").code, 3, "one of two is not healthy")
        bad(daemon, 4, "status", "nothing-like-it*")


@case()
def the_daemon_tells_how_busy_it_is_and_what_waits():
    with Daemon({"web": SLEEP}) as daemon:
        contains(good(daemon, "daemon").out, "vigild ", "turns", "timers late", "waiting", "1: 1 healthy")
        before = good(daemon, "daemon", "--json").json
        equal(sorted(before["loop"]), ["recent_turns", "timer_lateness", "turns", "turns_cpu"], "loop")
        for durations in before["loop"].values():
            assert durations["p50_us"] <= durations["p99_us"] <= durations["max_us"], durations
        equal(set(before["queues"].values()), {0}, "nothing waits")
        good(daemon, "restart", "web")
        after = good(daemon, "daemon", "--json").json
        assert after["loop"]["turns"]["count"] > before["loop"]["turns"]["count"], "turns are counted"
        equal(bad(daemon, 2, "daemon", "web").out, "", "it takes no names")


@case()
def json_is_one_document_and_nothing_else():
    with Daemon({"web": SLEEP, "idle": {**SLEEP, "autostart": False}}) as daemon:
        outcome = good(daemon, "status", "--json")
        equal(sorted(task["name"] for task in outcome.json["tasks"]), ["idle", "web"], "names")
        equal(outcome.err, "", "stderr")
        outcome = daemon.ctl("status", "idle", "--json")
        equal((outcome.code, outcome.json["tasks"][0]["status"]), (3, "created"), "the code is the same with --json")
        outcome = daemon.ctl("status", "none", "--json")
        equal(outcome.code, 4, "no such task")
        assert outcome.out == "" or json.loads(outcome.out) is not None
        for verb in (["start", "idle"], ["stop", "idle"], ["restart", "web"]):
            equal(good(daemon, *verb, "--json").json["tasks"][0]["outcome"], "done", verb)


@case()
def the_verbs_on_tasks_reach_their_outcome_before_they_answer():
    with Daemon({"web": SLEEP, "web-2": SLEEP}) as daemon:
        good(daemon, "stop", "web")
        equal(daemon.status("web")["status"], "stopped", "stop")
        good(daemon, "stop", "web")
        good(daemon, "start", "web")
        equal(daemon.status("web")["status"], "healthy", "start")
        good(daemon, "start", "web")
        equal(daemon.status("web")["generation"], 2, "a start of a running task is done already")
        good(daemon, "restart", "web*")
        equal([daemon.status(name)["generation"] for name in ("web", "web-2")], [3, 2], "restart of a pattern")
        good(daemon, "kill", "web")
        equal((daemon.status("web")["status"], daemon.status("web")["cause"]["kind"]), ("dead", "operator"), "kill")
        good(daemon, "kill", "--now", "web-2")
        equal(daemon.status("web-2")["last_exit"]["signal"], "KILL", "kill --now")
        good(daemon, "start", "web")
        good(daemon, "remove", "web")
        bad(daemon, 4, "status", "web")
        bad(daemon, 4, "stop", "web")
        for verb in ("start", "restart", "kill", "remove"):
            bad(daemon, 4, verb, "web")


@case()
def nasty_34_a_name_that_is_taken_is_refused_and_the_first_task_is_untouched():
    with Daemon({"plain": SLEEP}) as daemon:
        before = daemon.status("plain")
        error = bad(daemon, 1, "add", "plain", "--", "/bin/true")
        contains(error.err, "plain")
        after = daemon.status("plain")
        equal((after["pid"], after["generation"]), (before["pid"], 1), "the first")


@case()
def add_takes_a_command_or_a_task_object_from_a_file_or_standard_input():
    with Daemon() as daemon:
        good(daemon, "add", "plain", "--", "/bin/sleep", "1000")
        equal(daemon.status("plain")["status"], "healthy", "plain")
        with open(daemon.path("spec.json"), "w") as file:
            json.dump({**SLEEP, "autostart": False}, file)
        good(daemon, "add", "from-file", "-f", daemon.path("spec.json"))
        equal(daemon.status("from-file")["status"], "created", "autostart: false")
        good(daemon, "add", "from-stdin", "-f", "-", input=json.dumps(SLEEP))
        equal(daemon.status("from-stdin")["status"], "healthy", "from standard input")
        error = bad(daemon, INVALID, "add", "wrong", "-f", "-", input='{ "comand": ["true"] }')
        contains(error.err, "comand", "command")
        assert daemon.ctl("add", "../evil", "--", "/bin/true").code in (2, INVALID)
        equal(daemon.ctl("add", "no-command").code, 2, "usage")
        equal(daemon.ctl("status", "wrong").code, 4, "nothing was added")


@case()
def signal_reaches_the_task():
    with Daemon() as daemon:
        daemon.rpc("task.add", {"name": "listens", "spec": {
            "command": shell(f"trap 'echo usr1 > {daemon.path('got')}' USR1; echo up > {daemon.path('up')}; "
                             "while :; do sleep 0.05; done")}})
        daemon.read("up")
        good(daemon, "signal", "USR1", "listens")
        equal(daemon.read("got"), "usr1\n", "by name")
        good(daemon, "signal", "SIGUSR1", "listens")
        good(daemon, "signal", "10", "listens")
        equal(daemon.ctl("signal", "NOPE", "listens").code, 2, "no signal of that name")
        good(daemon, "stop", "listens")
        bad(daemon, 1, "signal", "USR1", "listens")


@case()
def wait_answers_when_it_is_so_and_a_time_limit_is_kept():
    with Daemon({"web": SLEEP, "soon": {"command": shell("sleep 0.5")}}) as daemon:
        good(daemon, "wait", "web", "--for=healthy")
        good(daemon, "wait", "soon", "--for=completed")
        begin = now()
        bad(daemon, EXPIRED, "wait", "web", "--for=stopped", "--timeout", "300ms")
        assert 0.3 <= now() - begin < 20
        equal(daemon.ctl("wait", "web", "--for=luck").code, 2, "usage")
        waiting = subprocess.Popen([cases.VIGILCTL, "-s", daemon.socket, "wait", "web", "--for=exit"])
        good(daemon, "kill", "--now", "web")
        equal(waiting.wait(30), 0, "wait --for=exit")


@case()
def no_wait_comes_back_at_once_and_timeout_gives_124():
    with Daemon({"stubborn": {"command": shell("trap '' TERM; while :; do sleep 0.1; done"),
                              "stop": {"timeout": "2s"}}}) as daemon:
        eventually(lambda: daemon.status("stubborn")["uptime_ms"] > 300, what="the trap is set")
        begin = now()
        bad(daemon, EXPIRED, "stop", "stubborn", "--timeout", "200ms")
        assert now() - begin < 1.9, "it waited for more than its limit"
        equal(daemon.status("stubborn")["status"], "stopping", "the order stands")
        daemon.reaches("stubborn", "stopped")
        good(daemon, "start", "stubborn")
        eventually(lambda: daemon.status("stubborn")["uptime_ms"] > 300, what="the trap is set")
        begin = now()
        good(daemon, "stop", "stubborn", "--no-wait")
        equal(daemon.status("stubborn")["status"], "stopping", "it was not waited for")
        daemon.reaches("stubborn", "stopped")


@case()
def a_start_that_cannot_succeed_is_reported_with_its_reason():
    with Daemon({"broken": {**failing(7, max_attempts=0), "autostart": False},
                 "never": {"command": ["/nowhere"], "autostart": False, "restart": {"max_attempts": 0}}}) as daemon:
        contains(bad(daemon, 1, "start", "never").err, "never", "No such file or directory")
        # Ready at exec: the start itself succeeds before the task fails.
        assert daemon.ctl("start", "broken").code in (0, 1)
        eventually(lambda: daemon.status("broken")["status"] == "dead", what="dead")


@case()
def show_explains_one_task_in_full():
    with Daemon({"crash": failing(9, base_delay="60s")}) as daemon:
        daemon.reaches("crash", "failed")
        shown = good(daemon, "show", "crash").out
        contains(shown, "crash", "failed", "exit code 9", "/bin/sh")
        bad(daemon, 4, "show", "nothing")
        equal(daemon.ctl("show").code, 2, "usage")


@case()
def version_and_help_need_no_daemon():
    for arguments in (["--help"], ["status", "--help"]):
        outcome = run([cases.VIGILCTL, *arguments])
        equal(outcome.code, 0, outcome)
        contains(outcome.out, "status")
    with Daemon() as daemon:
        contains(good(daemon, "version").out, "vigil")


@case()
def check_judges_a_file_as_the_daemon_would():
    with Daemon({"a": SLEEP}) as daemon:
        good(daemon, "check", daemon.config_path)
        with open(daemon.path("bad.json"), "w") as file:
            file.write('{ "version": 1, "taks": {} }')
        contains(bad(daemon, INVALID, "check", daemon.path("bad.json")).err, "bad.json:1:17", "tasks")
        bad(daemon, INVALID, "check", daemon.path("missing.json"))


@case()
def shutdown_ends_the_daemon_as_a_signal_does():
    with Daemon({"a": SLEEP}) as daemon:
        good(daemon, "shutdown")
        equal(daemon.wait(), 0, "vigild's exit code")
        bad(daemon, UNREACHABLE, "status")


if __name__ == "__main__":
    main()
