"""A start with a configuration that is broken: after a crash the last good one serves, else it is refused."""
import json
import os
import signal

import cases
from cases import case, contains, equal, eventually, main
from configs import rewrite
from harness import SLEEP, Daemon, run
from killed import kill


def kept(daemon):
    return eventually(lambda: os.path.exists(daemon.path("s/last-good.json")), what="the configuration is kept")


def refused(daemon):
    done = run([cases.VIGILD, "-c", daemon.config_path])
    equal(done.code, 78, f"exit code: {done}")
    contains(done.err, "nothing was started")


BROKEN_TASK = {"a": {"command": ["/bin/sleep", "1000"], "sotp": {}}}


@case()
def after_a_crash_a_broken_configuration_is_said_and_the_last_good_one_runs_until_it_is_mended():
    with Daemon({"a": SLEEP, "b": SLEEP}) as daemon:
        kept(daemon)
        pid = daemon.status("a")["pid"]
        kill(daemon)
        rewrite(daemon, BROKEN_TASK)
        daemon.start()
        equal(daemon.status("a")["pid"], pid, "the task")
        contains(daemon.log, "the configuration cannot be used: ", "sotp", "going on with the last good one")
        status = daemon.rpc("daemon.status")
        contains(status["config_fault"], "vigil.json:", "sotp")
        equal(status["config_changed"], True, "config_changed")
        equal(status["config_files"], [daemon.config_path], "config_files")
        equal(daemon.ctl("reload").code, 78, "a reload as long as it is broken")
        # Killed once more it goes on as well.
        kill(daemon)
        daemon.start()
        equal(daemon.status("a")["pid"], pid, "the task")
        rewrite(daemon, {"a": SLEEP, "c": SLEEP})
        equal(daemon.ctl("reload").code, 0, "reload")
        status = daemon.rpc("daemon.status")
        equal((status["config_fault"], status["config_changed"]), (None, False), "the fault is over")
        equal(sorted(task["name"] for task in daemon.rpc("task.status")["tasks"]), ["a", "c"], "tasks")
        equal(daemon.status("a")["pid"], pid, "the task")


@case()
def a_file_that_breaks_off_tells_where_to_look_if_its_daemon_section_is_whole_and_the_default_place_is_looked_at_else():
    with Daemon({"a": SLEEP}, ends_with=-signal.SIGKILL) as daemon:
        kept(daemon)
        pid = daemon.status("a")["pid"]
        kill(daemon)
        daemon.write_config('{"version": 1,')
        refused(daemon)
        daemon.write_config(json.dumps(daemon.config)[:-3])
        daemon.start()
        equal(daemon.status("a")["pid"], pid, "the task")
        kill(daemon)
        done = run([cases.VIGILD, "-c", daemon.config_path, "--cleanup"])
        equal(done.code, 0, f"exit code: {done}")
        contains(done.err, "ended 1 tasks")


@case()
def without_left_overs_and_beside_a_running_daemon_a_broken_configuration_is_refused():
    with Daemon({"a": SLEEP}) as daemon:
        kept(daemon)
        rewrite(daemon, BROKEN_TASK)
        refused(daemon)
        daemon.stop()
        refused(daemon)


if __name__ == "__main__":
    main()
