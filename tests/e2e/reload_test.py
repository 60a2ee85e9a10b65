"""A changed configuration: what a reload changes, what it leaves alone, and what happens when it cannot be."""
import json
import os
import shutil
import signal
import subprocess

import cases
from cases import always, case, contains, equal, eventually, main, need_ordinary_user, need_root
from harness import SLEEP, Daemon, failing, run, shell

SLEEPS = {"a": SLEEP, "b": SLEEP, "c": SLEEP}
# Takes its time to end, so that a case can look at it meanwhile.
SLOW = {"command": shell("trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done")}


def rewrite(daemon, tasks=None, /, **top):
    """Another configuration in the place of the one that runs."""
    if tasks is not None:
        daemon.config["tasks"] = tasks
    daemon.config.update(top)
    with open(daemon.config_path + ".new", "w") as file:
        json.dump(daemon.config, file, indent=1)
    os.rename(daemon.config_path + ".new", daemon.config_path)


def pids(daemon):
    return {task["name"]: task["pid"] for task in daemon.rpc("task.status")["tasks"]}


def including(**tasks):
    """A daemon whose main file includes conf.d/*.json."""
    daemon = Daemon(tasks)
    daemon.config["include"] = ["conf.d/*.json"]
    daemon.write_config(json.dumps(daemon.config))
    os.mkdir(daemon.path("conf.d"))
    return daemon


@case()
def nasty_58_a_broken_reload_is_an_error_with_every_problem_and_the_old_configuration_runs_on():
    with Daemon(SLEEPS) as daemon:
        before = pids(daemon)
        daemon.write_config('{"version": 1,\n "tasks": {"a": {"comand": ["x"]},\n  "d": {"command": 7}}}')
        outcome = daemon.ctl("reload")
        equal(outcome.code, 78, outcome)
        contains(outcome.err, daemon.config_path + ":2:", daemon.config_path + ":3:", '"command"', "nothing was changed")
        equal(outcome.out, "", "stdout")
        with daemon.client() as client:
            error = client.refused("daemon.reload")
            equal((error.kind, len(error.data["problems"]) >= 2), ("ConfigInvalid", True), error.data)
        equal(pids(daemon), before, "the tasks")
        contains(daemon.log, "not reloaded", "the configuration that runs stays")
        os.unlink(daemon.config_path)
        equal(daemon.ctl("reload").code, 78, "without a file")
        equal(pids(daemon), before, "the tasks")


@case()
def nasty_59_a_reload_restarts_the_task_that_changed_stops_the_one_that_is_gone_and_leaves_the_others_their_pid():
    with Daemon({**SLEEPS, "d": SLEEP}) as daemon:
        before = pids(daemon)
        rewrite(daemon, {"a": {"command": ["/bin/sleep", "2000"]}, "b": SLEEP,
                         "c": {**SLEEP, "stop": {"timeout": "3s"}}, "new": SLEEP})
        answer = daemon.rpc("daemon.reload")
        equal((answer["applied"], answer["added"], answer["removed"], answer["unchanged"]),
              (True, ["new"], ["d"], 1), answer)
        changed = {change["name"]: change for change in answer["changed"]}
        equal((changed["a"]["restart"], changed["c"]["restart"]), (True, False), changed)
        equal(changed["a"]["fields"], [{"key": "command", "before": ["/bin/sleep", "1000"],
                                        "after": ["/bin/sleep", "2000"], "change": "task"}], "fields")
        equal({task["name"]: task["outcome"] for task in answer["tasks"]},
              {"a": "done", "d": "done", "new": "done"}, "what was waited for")
        after = pids(daemon)
        equal(sorted(after), ["a", "b", "c", "new"], "the tasks")
        equal((after["b"], after["c"]), (before["b"], before["c"]), "untouched")
        equal(daemon.status("a")["generation"], 2, "generation of the changed one")
        contains(daemon.log, "a: stopping, pid " + str(before["a"]) + ": configuration reloaded",
                 "d: stopping, pid " + str(before["d"]) + ": configuration reloaded")
        assert not os.path.exists(f"/proc/{before['d']}"), "the removed task still runs"
        equal(daemon.rpc("daemon.reload")["unchanged"], 4, "once more")
        equal(pids(daemon), after, "nothing to do")


@case()
def live_keys_hold_at_once_for_a_task_that_runs():
    with Daemon({"a": {"command": shell("trap '' TERM; while :; do sleep 0.1; done"), "stop": {"timeout": "300s"}},
                 "f": failing(base_delay="300s", max_delay="300s")}) as daemon:
        daemon.reaches("f", "failed")
        before = daemon.status("a")["pid"]
        rewrite(daemon, {"a": {**daemon.config["tasks"]["a"], "stop": {"timeout": "100ms"}},
                         "f": failing(base_delay="100ms")})
        daemon.rpc("daemon.reload")
        equal(daemon.status("a")["pid"], before, "its pid")
        eventually(lambda: daemon.status("f")["generation"] > 1, what="the pending restart comes sooner")
        equal(daemon.ctl("stop", "a", "--timeout", "20s").code, 0, "stop")


@case()
def a_task_that_was_stopped_or_has_died_gets_its_new_spec_and_stays_where_it_is():
    with Daemon({"a": SLEEP, "d": failing(max_attempts=0), "late": {**SLEEP, "autostart": False}}) as daemon:
        equal(daemon.ctl("stop", "a").code, 0, "stop")
        daemon.reaches("d", "dead")
        changed = {"command": ["/bin/sleep", "2000"]}
        rewrite(daemon, {"a": changed, "d": changed, "late": changed})
        answer = daemon.rpc("daemon.reload")
        equal([daemon.status(name)["status"] for name in ("a", "d", "late")], ["stopped", "dead", "healthy"],
              "only the task that was never started, and is to start with the daemon now, starts")
        equal([task["name"] for task in answer["tasks"]], ["late"], answer)
        equal(daemon.ctl("start", "a").code, 0, "start")
        spec = daemon.rpc("task.status", {"name": "a", "spec": True})["tasks"][0]["spec"]
        equal(spec["command"], ["/bin/sleep", "2000"], "what it runs now")


@case()
def nasty_60_a_reload_while_another_is_read_is_refused_and_the_first_is_applied():
    with Daemon(SLEEPS) as daemon, daemon.client() as client:
        rewrite(daemon, {**SLEEPS, **{f"t{i}": SLEEP for i in range(20)}})
        line = '{{"jsonrpc":"2.0","id":{},"method":"daemon.reload"}}\n'
        client.send("".join(line.format(i) for i in (1, 2)).encode())
        answers = {answer["id"]: answer for answer in (client.line(), client.line())}
        equal(answers[2]["error"]["data"]["kind"], "Busy", answers[2])
        equal(len(answers[1]["result"]["added"]), 20, "the first")
        equal(daemon.rpc("daemon.reload")["unchanged"], 23, "and then it is free again")


@case()
def nasty_60_a_reload_during_a_stop_leaves_the_stop_alone():
    with Daemon({"a": SLOW, "b": SLEEP}) as daemon:
        generation = daemon.status("a")["generation"]
        equal(daemon.ctl("stop", "a", "--no-wait").code, 0, "stop")
        rewrite(daemon, {"a": SLEEP, "b": SLEEP})
        equal(daemon.ctl("reload").code, 0, "reload")
        daemon.reaches("a", "stopped")
        always(lambda: daemon.status("a")["status"] == "stopped", 0.3, "it stays stopped")
        equal(daemon.status("a")["generation"], generation, "no run after the stop")


@case()
def nasty_60_a_task_that_is_just_being_removed_makes_a_reload_that_has_it_wait_for_another_time():
    with Daemon({"a": SLOW, "b": SLEEP}) as daemon:
        rewrite(daemon, {"b": SLEEP})
        answer = daemon.rpc("daemon.reload", {"wait": False})
        equal((answer["removed"], answer["tasks"][0]["outcome"]), (["a"], "accepted"), answer)
        rewrite(daemon, {"a": SLEEP, "b": SLEEP})
        with daemon.client() as client:
            error = client.refused("daemon.reload")
            equal(error.kind, "Busy", error)
            contains(error.message, "a")
        eventually(lambda: "a" not in pids(daemon), what="a is gone")
        equal(daemon.rpc("daemon.reload")["added"], ["a"], "now it is added")


@case()
def nasty_60_a_reload_during_a_shutdown_is_refused():
    daemon = Daemon({"a": SLOW})
    with daemon:
        rewrite(daemon, {"a": SLEEP, "new": SLEEP})
        with daemon.client() as client:
            daemon.send_signal(signal.SIGTERM)
            eventually(lambda: client.call("daemon.status")["shutting_down"], what="it shuts down")
            equal(client.refused("daemon.reload").kind, "Busy", "reload")
        equal(daemon.wait(), 0, "exit code")
        assert "new" not in daemon.log.split("SIGTERM")[-1], "something was started"


@case()
def nasty_79_sighup_after_sigterm_does_not_cancel_the_shutdown():
    with Daemon({"a": SLOW}) as daemon:
        rewrite(daemon, {"a": SLEEP, "new": SLEEP})
        daemon.send_signal(signal.SIGTERM)
        eventually(lambda: "SIGTERM" in daemon.log, what="the shutdown begins")
        for _ in range(3):
            daemon.send_signal(signal.SIGHUP)
        equal(daemon.wait(), 0, "exit code")
        contains(daemon.log, "SIGHUP", "not reloaded", "vigild stopped")


@case()
def nasty_61_a_file_or_directory_that_others_may_write_is_refused_at_a_reload_too():
    need_root("files of other users")
    with including(a=SLEEP) as daemon:
        with open(daemon.path("conf.d/x.json"), "w") as file:
            json.dump({"tasks": {"x": SLEEP}}, file)
        for path, mode, fault in (("conf.d/x.json", 0o666, "writable"), ("conf.d", 0o777, "writable")):
            good = os.stat(daemon.path(path)).st_mode & 0o777
            os.chmod(daemon.path(path), mode)
            outcome = daemon.ctl("reload")
            equal(outcome.code, 78, outcome)
            contains(outcome.err, path, fault)
            equal(sorted(pids(daemon)), ["a"], "the tasks")
            os.chmod(daemon.path(path), good)
        os.chown(daemon.path("conf.d/x.json"), 23001, 23001)
        contains(daemon.ctl("reload").err, "23001")
        os.chown(daemon.path("conf.d/x.json"), 0, 0)
        equal(daemon.ctl("reload").code, 0, "once it is trusted")
        equal(sorted(pids(daemon)), ["a", "x"], "the tasks")


@case()
def sighup_reloads_and_tells_the_log_what_came_of_it():
    with Daemon({**SLEEPS, "s": {**SLEEP, "env": {"TOKEN": "hunter2"}}}) as daemon:
        before = pids(daemon)
        rewrite(daemon, {"a": {**SLEEP, "nice": 1}, "b": SLEEP, "new": SLEEP,
                         "s": {**SLEEP, "env": {"TOKEN": "hunter3"}}})
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: set(pids(daemon)) == {"a", "b", "new", "s"}, what="the reload is done")
        daemon.started_again("a", 1)
        equal(pids(daemon)["b"], before["b"], "the untouched one")
        contains(daemon.log, "1 added, 1 removed, 2 changed (2 by a restart), 1 unchanged", "reload: a: ", "nice",
                 "reload: c: removed", "reload: new: added", "env")
        assert "hunter" not in daemon.log, "a value of the environment is in the log"
        daemon.write_config('{"tasks": {"a": {}}}')
        daemon.send_signal(signal.SIGHUP)
        eventually(lambda: "not reloaded" in daemon.log, what="the failure is told")
        contains(daemon.log, daemon.config_path + ":1:")
        equal(len(pids(daemon)), 4, "the tasks")


@case()
def every_sighup_of_a_burst_counts_and_the_last_file_wins():
    with Daemon({"a": SLEEP}) as daemon:
        for i in range(5):
            rewrite(daemon, {"a": SLEEP, f"t{i}": SLEEP})
            daemon.send_signal(signal.SIGHUP)
        eventually(lambda: set(pids(daemon)) == {"a", "t4"}, what="the last configuration runs")


@case()
def diff_and_dry_run_tell_what_would_change_and_change_nothing():
    with Daemon(SLEEPS) as daemon:
        equal(daemon.ctl("diff").code, 0, "no difference")
        before = pids(daemon)
        rewrite(daemon, {"a": {**SLEEP, "nice": 3, "restart": {"base_delay": "7s"}}, "b": SLEEP, "new": SLEEP},
                daemon={**daemon.config["daemon"], "log": {"level": "debug"}, "cgroup": "off"})
        outcome = daemon.ctl("diff")
        equal(outcome.code, 1, outcome)
        contains(outcome.out, "removed  c", "changed  a: restarts if it runs", "nice: null -> 3  (restart)",
                 'restart.base_delay: "1s" -> "7s"  (live)', "added    new", 'daemon.log.level: "info" -> "debug"  (live)',
                 "daemon.cgroup", "at the next start of vigild", "1 unchanged")
        document = daemon.ctl("diff", "--json").json
        equal((document["applied"], document["added"], document["removed"], document["tasks"]),
              (False, ["new"], ["c"], []), document)
        equal(daemon.ctl("reload", "--dry-run").code, 0, "dry run")
        equal(pids(daemon), before, "nothing was changed")
        equal(daemon.ctl("reload").code, 0, "reload")
        equal(daemon.ctl("diff", "--json").json["daemon"],
              [{"key": "daemon.cgroup", "before": "auto", "after": "off", "change": "daemon"}],
              "what waits for a start of vigild is still a difference")
        daemon.write_config("{")
        equal(daemon.ctl("diff").code, 78, "a broken file")


@case()
def live_settings_of_the_daemon_hold_after_a_reload():
    with Daemon({"a": SLEEP}) as daemon:
        assert " debug " not in daemon.log, daemon.log
        rewrite(daemon, daemon={**daemon.config["daemon"], "log": {"level": "debug"}}, defaults={"nice": 4})
        equal(daemon.ctl("reload").code, 0, "reload")
        equal(daemon.ctl("add", "later", "--", "/bin/sleep", "1000").code, 0, "add")
        contains(daemon.log, " debug ")
        spec = daemon.rpc("task.status", {"name": "later", "spec": True})["tasks"][0]["spec"]
        equal(spec["nice"], 4, "the defaults of tasks added later")


@case()
def a_reload_waits_for_what_follows_and_its_limit_is_kept():
    with Daemon({"a": SLOW, "b": SLEEP}) as daemon:
        rewrite(daemon, {"a": {"command": shell("exit 3"), "restart": {"max_attempts": 0}}, "b": SLEEP})
        outcome = daemon.ctl("reload", "--timeout", "100ms")
        equal(outcome.code, 124, outcome)
        contains(outcome.err, "a: still stopping")
        daemon.reaches("a", "dead")
        rewrite(daemon, {"a": SLEEP, "b": {"command": shell("exit 3"), "ready": {"on": "notify"}}})
        outcome = daemon.ctl("reload")
        equal(outcome.code, 1, outcome)
        contains(outcome.err, "b: failed: exit code 3")
        equal(daemon.ctl("reload", "--no-wait").code, 0, "no wait")


@case()
def tasks_added_at_run_time_are_left_alone_until_a_file_names_them():
    with Daemon({"a": SLEEP}) as daemon:
        equal(daemon.ctl("add", "mine", "--", "/bin/sleep", "1000").code, 0, "add")
        before = pids(daemon)
        equal(daemon.ctl("diff").code, 0, "no difference")
        equal(daemon.ctl("reload").code, 0, "reload")
        equal(pids(daemon), before, "left alone")
        rewrite(daemon, {"a": SLEEP, "mine": SLEEP})
        outcome = daemon.ctl("reload")
        equal(outcome.code, 0, outcome)
        contains(outcome.out, "changed  mine", "was added at run time")
        equal(pids(daemon), before, "equal, so it runs on")
        rewrite(daemon, {"a": SLEEP})
        equal(daemon.rpc("daemon.reload")["removed"], ["mine"], "now it is the file's")


@case()
def a_changed_file_is_seen_in_the_daemons_status_and_a_reload_settles_it():
    with including(a=SLEEP) as daemon:
        def changed():
            return daemon.rpc("daemon.status")["config_changed"]
        equal(changed(), False, "as started")
        with open(daemon.path("conf.d/note.txt"), "w") as file:
            file.write("no part of it")
        equal(changed(), False, "a file that no pattern matches")
        with open(daemon.path("conf.d/x.json"), "w") as file:
            json.dump({"tasks": {"x": SLEEP}}, file)
        equal(changed(), True, "a new file")
        equal(daemon.ctl("reload").code, 0, "reload")
        equal(changed(), False, "after the reload")
        rewrite(daemon)
        equal(changed(), True, "a file that was replaced, though by an equal one")
        daemon.write_config("{")
        equal((daemon.ctl("reload").code, changed()), (78, True), "after a reload that failed")


def on_a_terminal(daemon, *arguments, answer=None):
    """Exit code and all that vigilctl says to a terminal."""
    import pty
    ours, theirs = pty.openpty()
    child = subprocess.Popen([cases.VIGILCTL, "-s", daemon.socket, *arguments], stdin=theirs, stdout=theirs,
                             stderr=theirs, env={"PATH": os.environ["PATH"], "TERM": "dumb"})
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
            if answer is not None and b"[y/N]" in said:
                if isinstance(answer, bytes):
                    os.write(ours, answer)
                else:
                    child.send_signal(answer)
                answer = None
    except OSError:
        pass  # the other end was closed
    os.close(ours)
    return child.wait(), said.decode()


@case()
def on_a_terminal_status_hints_at_a_changed_configuration_and_reload_asks():
    with Daemon({"a": SLEEP}) as daemon:
        hint = "vigilctl reload"
        assert hint not in on_a_terminal(daemon, "status")[1], "a hint without a change"
        rewrite(daemon, {"a": SLEEP, "b": SLEEP})
        code, said = on_a_terminal(daemon, "status")
        equal(code, 0, said)
        contains(said, hint)
        outcome = daemon.ctl("status")
        assert hint not in outcome.err + outcome.out, "a hint without a terminal"
        code, said = on_a_terminal(daemon, "reload", answer=b"n\n")
        equal((code, sorted(pids(daemon))), (1, ["a"]), said)
        contains(said, "added    b", "Apply this?")
        code, said = on_a_terminal(daemon, "reload", answer=signal.SIGINT)
        equal((code, sorted(pids(daemon))), (130, ["a"]), said)
        code, said = on_a_terminal(daemon, "reload", answer=b"y\n")
        equal((code, sorted(pids(daemon))), (0, ["a", "b"]), said)
        rewrite(daemon, {"a": SLEEP})
        code, said = on_a_terminal(daemon, "reload", "-y")
        equal((code, sorted(pids(daemon)), "Apply" in said), (0, ["a"], False), said)


@case()
def add_persist_writes_a_file_that_remove_persist_takes_away():
    with including(a=SLEEP) as daemon:
        path = daemon.path("conf.d/job.json")
        equal(daemon.ctl("add", "job", "--persist", "--", "/bin/sleep", "1000").code, 0, "add")
        equal(json.load(open(path))["tasks"], {"job": {"command": ["/bin/sleep", "1000"]}}, "what is in the file")
        equal((os.stat(path).st_mode & 0o777, os.stat(path).st_uid), (0o644, os.geteuid()), "its mode and owner")
        equal(daemon.rpc("daemon.status")["config_changed"], False, "our own file is no change")
        before = pids(daemon)
        equal(daemon.ctl("diff").code, 0, "no difference")
        equal(daemon.rpc("daemon.reload")["unchanged"], 2, "reload")
        equal(pids(daemon), before, "the tasks")
        daemon.stop()
        daemon.start()
        equal(sorted(pids(daemon)), ["a", "job"], "after a restart of the daemon")
        equal(daemon.ctl("remove", "job", "--persist").code, 0, "remove")
        assert not os.path.exists(path), "the file is still there"
        equal((sorted(pids(daemon)), daemon.ctl("diff").code), (["a"], 0), "the tasks")
        equal(os.listdir(daemon.path("conf.d")), [], "nothing else was left")


@case()
def persist_is_refused_clearly_where_it_would_not_last():
    with Daemon({"a": SLEEP}) as daemon:
        outcome = daemon.ctl("add", "job", "--persist", "--", "/bin/true")
        equal(outcome.code, 78, outcome)
        contains(outcome.err, "does not include", "conf.d/*.json")
        outcome = daemon.ctl("remove", "a", "--persist")
        equal(outcome.code, 78, outcome)
        contains(outcome.err, daemon.config_path)
        equal(sorted(pids(daemon)), ["a"], "the tasks")
    with including(a=SLEEP) as daemon:
        with open(daemon.path("conf.d/job.json"), "w") as file:
            file.write('{"tasks": {}}')
        outcome = daemon.ctl("add", "job", "--persist", "--", "/bin/sleep", "1000")
        equal(outcome.code, 78, outcome)
        contains(outcome.err, "conf.d/job.json", "exists already")
        equal(daemon.ctl("remove", "a", "--no-wait").code, 0, "remove")
        eventually(lambda: not pids(daemon), what="a is gone")
        outcome = daemon.ctl("add", "a", "--persist", "--", "/bin/sleep", "1000")
        equal(outcome.code, 78, outcome)
        contains(outcome.err, "in the configuration already", daemon.config_path)
        equal(daemon.ctl("add", "two", "--persist", "--", "/bin/sleep", "1000").code, 0, "add")
        with open(daemon.path("conf.d/two.json"), "w") as file:
            json.dump({"tasks": {"two": SLEEP, "three": SLEEP}}, file)
        outcome = daemon.ctl("remove", "two", "--persist")
        equal((outcome.code, os.path.exists(daemon.path("conf.d/two.json"))), (78, True), outcome)
        equal(sorted(pids(daemon)), ["two"], "the tasks")


@case()
def the_running_configuration_is_kept_and_starts_a_daemon_that_is_the_same():
    with Daemon({"a": {**SLEEP, "env": {"TOKEN": "hunter2"}}, "b": failing(max_attempts=0)},
                defaults={"nice": 2, "env": {"X": "1"}}) as daemon:
        kept = daemon.path("s/last-good.json")

        def names():
            return sorted(json.load(open(kept))["tasks"]) if os.path.exists(kept) else None
        eventually(lambda: names() == ["a", "b"], what="the configuration of the start is kept")
        equal(os.stat(kept).st_mode & 0o777, 0o600, "its mode")
        rewrite(daemon, {**daemon.config["tasks"], "c": SLEEP})
        equal(daemon.ctl("reload").code, 0, "reload")
        eventually(lambda: names() == ["a", "b", "c"], what="that of the reload is kept")
        equal(run([daemon.program(), "-c", kept, "--check"]).code, 0, "it is valid")
        daemon.write_config("{")
        equal(daemon.ctl("reload").code, 78, "a broken file")
        equal(names(), ["a", "b", "c"], "the last good one stays")
        shutil.copy(kept, daemon.config_path)
        equal(daemon.ctl("diff").code, 0, "it says what runs")


@case()
def who_may_only_look_or_order_can_neither_reload_nor_see_the_difference():
    need_ordinary_user()
    with Daemon({"a": {**SLEEP, "env": {"TOKEN": "hunter2"}}},
                daemon={"control": {"group": "24001", "read_group": "24002"}}) as daemon:
        program = shutil.copy(cases.VIGILCTL, daemon.path("vigilctl"))
        rewrite(daemon, {"a": {**SLEEP, "env": {"TOKEN": "hunter3"}}})
        for group in ("24001", "24002"):
            who = ["setpriv", "--reuid=23001", "--regid=23001", f"--groups={group}"]
            for arguments in (["diff"], ["reload"], ["reload", "--dry-run"], ["add", "x", "--persist", "--", "/bin/true"]):
                outcome = run([*who, program, *arguments],
                              env={"PATH": os.environ["PATH"], "VIGIL_SOCKET": daemon.socket})
                equal(outcome.code, 77, f"{arguments}: {outcome}")
                assert "hunter" not in outcome.out + outcome.err, outcome
        contains(daemon.ctl("diff").out, "hunter3")
        equal(daemon.ctl("reload").code, 0, "root may")
        assert "hunter" not in daemon.log, "a value of the environment is in the log"


if __name__ == "__main__":
    main()
