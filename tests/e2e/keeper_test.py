"""A keeper that is killed, and the one that takes its place: no task notices, and the next daemon finds everything with it."""
import json
import os
import shutil
import signal
import subprocess
import time

import cases
import processes
from cases import case, equal, eventually, main
from harness import SLEEP, Daemon, shell
from killed import kill, kill_and_start, states
from kills import check_to_the_end, keeper_of, kill_keeper, steady
from logs import log_of, text_of

REPLACED = "a new keeper holds everything again"


def held_pipes(daemon):
    return sum(target.startswith("pipe:") for target in processes.descriptors(keeper_of(daemon)))


@case()
def a_keeper_that_was_killed_is_replaced_and_the_new_one_has_everything_for_the_next_daemon():
    spec = {"heartbeat": {"timeout": "10s"}, "ready": {"on": "notify"}}
    daemon = Daemon()
    daemon.config["tasks"] = {"talks": {**spec, "command": steady(50, daemon.path("told"))},
                              "fd": {"command": shell("exec 3>&$VIGIL_HEARTBEAT_FD; while :; do echo >&3; sleep 0.05; done"),
                                     "heartbeat": {"timeout": "2s", "fd": True}}}
    daemon.write_config(json.dumps(daemon.config))
    with daemon:
        for name in ("talks", "fd"):
            daemon.reaches(name, "healthy")
        before = states(daemon)
        kill_keeper(daemon)
        kill(daemon)
        time.sleep(0.3)
        daemon.start()
        equal(states(daemon), before, "the tasks")
        eventually(lambda: daemon.status("fd")["last_heartbeat_age_ms"] is not None, what="a beat through the pipe is read")
        # One that was taken over is replaced as well, and that of a run which has ended is not with the new one.
        kill_keeper(daemon)
        equal(daemon.ctl("stop", "talks").code, 0, "stop")
        eventually(lambda: held_pipes(daemon) == 2, what="the keeper has the pipes of the other task and no others")
        kill_and_start(daemon)
        equal(daemon.status("fd")["pid"], before["fd"][1], "the other task")
        check_to_the_end("talks", text_of(log_of(daemon, "talks")))
        assert not os.path.exists(daemon.path("told")), open(daemon.path("told")).read()


@case()
def runs_that_begin_and_end_while_a_keeper_is_replaced_are_held_as_they_are_in_the_end():
    tasks = {f"t{number}": {"command": shell("echo x; exec sleep 1000"), "stop": {"signal": "KILL"}} for number in range(30)}
    with Daemon({**tasks, "keeps": SLEEP}) as daemon:
        restart = subprocess.Popen([cases.VIGILCTL, "-s", daemon.socket, "restart", "t*"], stdout=subprocess.DEVNULL)
        kill_keeper(daemon)
        equal(restart.wait(60), 0, "restart")
        equal(daemon.ctl("stop", "t1*").code, 0, "stop")
        running = [task["name"] for task in daemon.rpc("task.status")["tasks"] if task["pid"]]
        eventually(lambda: held_pipes(daemon) == len(running), what=f"the keeper has the {len(running)} pipes of what runs")
        before = states(daemon)
        kill_and_start(daemon)
        equal(states(daemon), before, "the tasks")
        eventually(lambda: held_pipes(daemon) == len(running), what="the next daemon has nothing to let go")


class WithItsOwnPrograms(Daemon):
    """A vigild and a keeper that can be taken away."""

    def program(self):
        for source in (cases.VIGILD, os.path.join(os.path.dirname(cases.VIGILD), "keeper", "vigil-keeper")):
            if not os.path.exists(self.path(os.path.basename(source))):
                shutil.copy(source, self.directory)
        return self.path("vigild")


@case()
def a_keeper_that_cannot_be_started_is_tried_again_and_the_log_has_one_line_for_it():
    with WithItsOwnPrograms({"a": SLEEP}) as daemon:
        os.rename(daemon.path("vigil-keeper"), daemon.path("elsewhere"))
        os.kill(keeper_of(daemon), signal.SIGKILL)
        eventually(lambda: "without a keeper, since" in daemon.log, what="the failure is in the log")
        time.sleep(1.2)
        os.rename(daemon.path("elsewhere"), daemon.path("vigil-keeper"))
        eventually(lambda: REPLACED in daemon.log, what="it was tried again")
        equal(daemon.log.count("without a keeper, since"), 1, "lines about the failure")
        before = states(daemon)
        kill_and_start(daemon)
        equal(states(daemon), before, "the task")


if __name__ == "__main__":
    main()
