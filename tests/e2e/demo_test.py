"""The demonstration and the example workers, as a newcomer meets them."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import cases
import processes
from cases import case, contains, equal, eventually, main
from client import Client
from harness import run

WORKERS = ("healthy-c", "healthy-cpp", "healthy-python", "healthy-shell", "healthy-node")


class Demo:
    """The demonstration's own configuration, run from a directory of this case's own."""

    def __init__(self):
        with open(os.path.join(cases.BUILD, "examples", "demo.json")) as file:
            text = file.read()
        self.directory = tempfile.mkdtemp(prefix="vg", dir="/tmp")
        home = re.search(r'"runtime_dir":\s*"(.*)/run"', text).group(1)
        self.config = os.path.join(self.directory, "demo.json")
        with open(self.config, "w") as file:
            file.write(text.replace(f'"{home}/', f'"{self.directory}/'))
        self.socket = os.path.join(self.directory, "run", "control.sock")

    def __enter__(self):
        self.log = open(os.path.join(self.directory, "log.txt"), "w+")
        # In a process group of its own, as a terminal gives it to what runs in the foreground.
        self.process = subprocess.Popen([cases.VIGILD, "-c", self.config], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, start_new_session=True)
        eventually(lambda: os.path.exists(self.socket), what="the demonstration's socket")
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.ends_on_ctrl_c()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            processes.end(processes.descendants(os.getpid()))
            self.log.close()
            shutil.rmtree(self.directory)

    def ends_on_ctrl_c(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        equal(self.process.wait(60 * cases.PATIENCE), 0, "exit code")
        left = processes.descendants(os.getpid())
        assert not left, processes.describe(left)
        assert not os.path.exists(self.socket), "the socket is left"

    def ctl(self, *arguments):
        return run([cases.VIGILCTL, "-s", self.socket, *arguments])

    def task(self, name):
        return json.loads(self.ctl("status", name, "--json").out)["tasks"][0]


@case(timeout=180)
def every_example_worker_becomes_healthy_and_stays_so():
    with Demo() as demo:
        with Client(demo.socket) as client:
            names = {task["name"] for task in client.call("task.status")["tasks"]}
        assert set(WORKERS) <= names, f"missing: {set(WORKERS) - names}"
        for name in WORKERS:
            if demo.task(name)["status"] == "created":
                print(f"{name}: its interpreter is not installed")
                continue
            eventually(lambda: demo.task(name)["status"] == "healthy", limit=60, what=f"{name} is healthy")
            eventually(lambda: demo.task(name)["uptime_ms"] > 4000, limit=60, what=f"{name} beats for two timeouts")
            equal(demo.task(name)["generation"], 1, f"generation of {name}")
            assert demo.task(name)["last_heartbeat_age_ms"] < 2000 * cases.PATIENCE, demo.task(name)


@case(timeout=180)
def the_demonstration_explains_what_fails_and_ctrl_c_leaves_nothing():
    with Demo() as demo:
        eventually(lambda: demo.task("completes")["status"] == "completed", limit=60, what="completed")
        crash = eventually(lambda: (found := demo.task("crashes"))["status"] == "failed" and found, limit=60,
                           what="a crash")
        equal(crash["cause"]["kind"], "exit-code", "cause")
        assert crash["next_start_in_ms"] is not None, crash
        eventually(lambda: (demo.task("hangs")["last_exit"] or {}).get("signal") == "ABRT", limit=60,
                   what="the hanging task is found")
        # It runs for two seconds between its crashes: the table is asked until it shows one of them.
        table = eventually(lambda: "exit code 7" in (out := demo.ctl("status").out) and out, limit=60, what="its cause")
        contains(table, "crashes", "hangs", "completed")
        contains(demo.ctl("show", "crashes").out, "exit code 7")


if __name__ == "__main__":
    main()
