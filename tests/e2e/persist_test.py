"""The configuration's files: seen when they change, written to by the daemon itself, and kept."""
import json
import os
import shutil

from cases import case, contains, equal, eventually, main
from configs import including, pids, rewrite
from harness import SLEEP, Daemon, failing, run
from killed import kill_and_start


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
def what_a_kill_in_the_middle_of_a_write_has_left_is_taken_away_by_the_next_daemon():
    with including(a=SLEEP) as daemon:
        eventually(lambda: os.path.exists(daemon.path("s/last-good.json")), what="the configuration is kept")
        left = [daemon.path(f"{place}/.vigil-new-1-0") for place in ("conf.d", "s")]
        for path in left:
            with open(path, "w") as file:
                file.write('{"version": 1, "ta')
        kill_and_start(daemon)
        eventually(lambda: not any(map(os.path.exists, left)), what="they are gone")


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


if __name__ == "__main__":
    main()
