"""What befalls the daemon: killed, stopped for a while, upgraded, reconfigured; and its keeper killed."""
import json
import os
import signal
import time

import kills
import specs
from cases import eventually
from client import RpcError
from killed import kill

BROKEN = ["{", '{"version": 1, "tasks": {"t0": {"comand": ["/bin/true"]}}}', '{"version": 1, "daemon": {"log": {"level": 5}}}', "",
          '{"version": 1, "tasks": {"t0": {"command": ["/bin/true"], "stop": {"timeout": 5}}}}']


def broken_behind_the_daemon(lot, config):
    """As BROKEN, but the daemon's section can be read: only so a vigild that starts with it knows where its last good one is."""
    whole = json.dumps({"version": 1, "daemon": config["daemon"], "tasks": {"t0": {"comand": ["/bin/true"]}}})
    return lot.choice([whole, whole[:-4]])

WHOLE = {"kill": 35, "upgrade": 22, "freeze": 10, "reload": 20, "break": 8, "keeper": 5}
# The memory of a daemon shows a trend only as long as the daemon lives.
ONE_LIFE = {"freeze": 12, "reload": 60, "break": 14}


class Fate:
    def __init__(self, stage, pace):
        self.stage, self.pace = stage, pace
        self.lot = stage.lot("fate")
        self.kinds = WHOLE

    def step(self):
        self.stage.pause(self.lot.uniform(0.3, 1.7) * self.pace)
        if self.stage.quiet.is_set():
            return
        kind = self.lot.choices(list(self.kinds), self.kinds.values())[0]
        {"kill": self.kill, "upgrade": self.upgrade, "freeze": self.freeze, "reload": self.reload, "break": self.break_files,
         "keeper": self.kill_keeper}[kind]()

    def kill(self):
        """One in three times the next daemon dies young."""
        for _ in range(1 + (self.lot.random() < 0.33)):
            away = self.lot.choice([0, 0, self.lot.uniform(0, 0.3), self.lot.uniform(0, 3)])
            young = self.lot.uniform(0, 0.3)
            self.stage.daemon_lives.clear()
            kill(self.stage.daemon)
            self.stage.counts.add("daemon killed")
            time.sleep(away)
            self.stage.daemon.start()
            self.stage.daemon_lives.set()
            time.sleep(young)
        self.stage.answers()

    def upgrade(self):
        done = self.stage.daemon.ctl("upgrade", limit=90)
        if done.code == 0:
            self.stage.counts.add("upgrades")
        elif "try again" not in done.err:
            self.stage.fault(f"upgrade: {done}")

    def freeze(self):
        self.stage.counts.add("daemon stopped")
        pid = self.stage.daemon.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.lot.choice([0.05, 1, self.lot.uniform(3.2, 5)]))
        os.kill(pid, signal.SIGCONT)

    def reload(self):
        tasks = dict(self.stage.tasks)
        for name in self.lot.sample(self.stage.names, max(1, self.stage.count // 50)):
            if name in tasks and self.lot.random() < 0.3:
                del tasks[name]
            elif name in tasks:
                tasks[name] = specs.changed(self.lot, tasks[name])
            else:
                tasks[name] = self.stage.first_tasks[name]
        self.stage.tasks = tasks
        self.stage.write(tasks)
        self.take_over(self.lot.choice(["order", "signal"]))

    def take_over(self, how):
        self.stage.counts.add("reloads")
        if how == "signal":
            return self.stage.daemon.send_signal(signal.SIGHUP)
        try:
            with self.stage.daemon.client(limit=60) as client:
                client.call("daemon.reload", {"timeout": self.lot.choice([10, 5000])})
        except RpcError as error:
            if error.kind not in ("Timeout", "Busy"):
                self.stage.fault(f"reload: {error} {error.data}")

    def break_files(self):
        self.stage.counts.add("broken reloads")
        killed = self.kinds is WHOLE and self.lot.random() < 0.3
        self.stage.write_text(broken_behind_the_daemon(self.lot, self.stage.daemon.config) if killed else self.lot.choice(BROKEN))
        try:
            with self.stage.daemon.client(limit=60) as client:
                client.call("daemon.reload")
            self.stage.fault("a broken configuration was taken over")
        except RpcError as error:
            if error.kind != "ConfigInvalid":
                self.stage.fault(f"a broken configuration was refused with {error}")
        if killed:
            self.stage.counts.add("daemon killed while its files were broken")
            self.kill()
        self.stage.write(self.stage.tasks)
        self.take_over("order")

    def kill_keeper(self):
        self.stage.counts.add("keeper killed")
        told = os.path.getsize(self.stage.daemon.log_path)
        os.kill(eventually(lambda: kills.keeper_of(self.stage.daemon), what="there is a keeper"), signal.SIGKILL)
        # Whoever kills both at once has lost what they were to hold for each other.
        eventually(lambda: "a new keeper holds everything again" in self.stage.log_after(told), limit=60,
                   what="the keeper is replaced")
