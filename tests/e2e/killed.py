"""Daemons that are killed, and what is to be seen of their tasks then."""
import os

import processes


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
