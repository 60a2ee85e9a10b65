"""A changed configuration: what a reload changes, what it leaves alone, and what happens when it cannot be."""
import json
import os
import signal

import processes
from cases import always, case, contains, equal, eventually, main, need_root
from configs import SLEEPS, including, pids, rewrite
from harness import SLEEP, Daemon, failing, shell

# Takes its time to end, so that a case can look at it meanwhile.
SLOW = {"command": shell("trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done")}


def trap_is_set(daemon):
    """Until its first sleep SLOW has no trap, and ends at once."""
    eventually(lambda: any(processes.command_line(pid) == "sleep 0.1" for pid in daemon.task_processes()),
               what="the slow task's trap is set")


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
        trap_is_set(daemon)
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
        trap_is_set(daemon)
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
        trap_is_set(daemon)
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
        trap_is_set(daemon)
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
def nasty_79_every_sighup_of_a_burst_counts_and_the_last_file_wins():
    with Daemon({"a": SLEEP}) as daemon:
        for i in range(5):
            rewrite(daemon, {"a": SLEEP, f"t{i}": SLEEP})
            daemon.send_signal(signal.SIGHUP)
        eventually(lambda: set(pids(daemon)) == {"a", "t4"}, what="the last configuration runs")


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
        trap_is_set(daemon)
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


if __name__ == "__main__":
    main()
