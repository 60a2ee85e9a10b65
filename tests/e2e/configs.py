"""Configurations that change while a daemon runs."""
import json
import os

from harness import SLEEP, Daemon

# Three tasks that only have to be there.
SLEEPS = {"a": SLEEP, "b": SLEEP, "c": SLEEP}


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
