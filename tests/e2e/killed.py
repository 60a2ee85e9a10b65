"""Daemons that are killed, and what is to be seen of their tasks then."""
import json
import os

import processes
from harness import Daemon


def kill(daemon):
    daemon.was_killed = True
    daemon.process.kill()
    daemon.process.wait()


def kill_and_start(daemon):
    kill(daemon)
    daemon.start()


def copies(daemon, name):
    """The pids of the processes that were started as this task's, found by what marks them."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or not processes.alive(int(entry)):
            continue
        try:
            marks = processes.environment(int(entry))
        except OSError:
            continue
        if marks.get("VIGIL_TASK") == name and marks.get("HOME_OF_TEST") == daemon.directory:
            found.append(int(entry))
    return found


def marked(daemon, spec):
    return {**spec, "env": {**spec.get("env", {}), "HOME_OF_TEST": daemon.directory}}


def states(daemon):
    return {task["name"]: (task["status"], task["pid"], task["generation"])
            for task in daemon.rpc("task.status")["tasks"]}


# Leaves its group, its session and its parent, as daemons do.
LEAVES = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(os.environ["TELL"], "w").write(f"{os.getpid()}\\n")
        time.sleep(1000)
    os._exit(0)
os.wait()
time.sleep(1000)
"""


def with_one_that_left(**more):
    daemon = Daemon(daemon={"cgroup": "off"}, **more)
    daemon.config["tasks"] = {"tree": {"command": ["/usr/bin/python3", "-c", LEAVES], "env": {"TELL": daemon.path("left")},
                                       "restart": {"policy": "never"}}}
    daemon.write_config(json.dumps(daemon.config))
    return daemon
