"""vigil.service under a real systemd, booted in name spaces of its own."""
import json
import os
import shutil
import signal
import subprocess
import tempfile

import cases
import processes
from cases import Skip, case, contains, equal, eventually, main, need_program, need_root
from harness import HERE, run

SYSTEMD = "/usr/lib/systemd/systemd"
# One task with a tree that leaves its session; the number marks its processes.
MARK = "31337"
TASKS = {"tree": {"command": ["/bin/sh", "-c", f"setsid setsid sleep {MARK} & exec sleep {MARK}"],
                  "restart": {"base_delay": "100ms"}}}


def own_cgroup():
    """A new cgroup (version 2) for the machine, so that its systemd has a tree of its own."""
    with open("/proc/mounts") as mounts:
        for line in mounts:
            _, place, kind, *_ = line.split()
            if kind == "cgroup2":
                path = os.path.join(place, f"vigil-test-{os.getpid()}")
                try:
                    os.mkdir(path)
                except OSError as error:
                    raise Skip(f"no cgroup can be made here: {error}") from None
                return path
    raise Skip("no cgroup2 is mounted here")


class Machine:
    """A systemd with vigil installed. Everything in it is gone at the end of the block."""

    def __init__(self, tasks=None, drop_in=""):
        need_root("booting a systemd")
        for program in ("unshare", "nsenter", SYSTEMD):
            need_program(program)
        self.directory = tempfile.mkdtemp(prefix="vg", dir="/tmp")
        stage = os.path.join(self.directory, "stage")
        for path in ("usr/local/bin", "etc/vigil", "etc/systemd/system/vigil.service.d"):
            os.makedirs(os.path.join(stage, path))
        keeper = os.path.join(cases.BUILD, "daemon/keeper/vigil-keeper")
        for program in (cases.VIGILD, cases.VIGILCTL, keeper):
            shutil.copy(program, os.path.join(stage, "usr/local/bin"))
        with open(os.path.join(cases.BUILD, "tests/systemd/vigil.service")) as file:
            unit = file.read()
        for program in (cases.VIGILD, cases.VIGILCTL):
            unit = unit.replace(program, os.path.join("/usr/local/bin", os.path.basename(program)))
        with open(os.path.join(stage, "etc/systemd/system/vigil.service"), "w") as file:
            file.write(unit)
        with open(os.path.join(stage, "etc/systemd/system/vigil.service.d/test.conf"), "w") as file:
            file.write(f"[Service]\n{drop_in}\n")
        with open(os.path.join(stage, "etc/vigil/vigil.json"), "w") as file:
            file.write(tasks if isinstance(tasks, str) else json.dumps({"version": 1, "tasks": tasks or TASKS}))
        self.stage = stage

    def __enter__(self):
        new = os.path.join(self.directory, "new")
        os.mkdir(new)
        self.cgroup = own_cgroup()
        self.log = open(os.path.join(self.directory, "log"), "w+")
        self.process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "--net", "--kill-child",
             os.path.join(HERE, "systemd_boot.sh"), new, self.stage],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            preexec_fn=lambda: open(os.path.join(self.cgroup, "cgroup.procs"), "w").write("0"))
        try:
            eventually(self._booted, limit=60, what="systemd has booted")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _booted(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise Skip(f"no systemd can be booted here: {self.log.read().strip()[-300:]}")
        below = processes.children(self.process.pid)
        self.init = below[0] if below else None
        return self.init and self.command("systemctl", "is-active", "vigil-test.target").code == 0

    def __exit__(self, kind, *_):
        if kind is not None:
            print(self.command("systemctl", "status", "--no-pager", "-l", "vigil").out)
            print(self.command("journalctl", "--no-pager", "-u", "vigil").out[-4000:])
        self.process.kill()
        self.process.wait()
        processes.end(processes.descendants(os.getpid()))
        self.log.close()
        eventually(self._cgroup_removed, what="the machine's cgroups are gone")
        shutil.rmtree(self.directory)

    def _cgroup_removed(self):
        for place, _, _ in os.walk(self.cgroup, topdown=False):
            try:
                os.rmdir(place)
            except OSError:
                return False
        return True

    def command(self, *words):
        return run(["nsenter", "-t", str(self.init), "-a", *words], limit=120)

    def succeeds(self, *words):
        outcome = self.command(*words)
        equal(outcome.code, 0, f"{words}: {outcome}")
        return outcome

    def property(self, name):
        return self.command("systemctl", "show", "-P", name, "vigil").out.strip()

    def main_pid(self):
        """vigild's pid as this machine counts it."""
        return next((pid for pid in processes.descendants(self.init)
                     if processes.command_line(pid).startswith("/usr/local/bin/vigild")
                     and "--cleanup" not in processes.command_line(pid)), None)

    def marked(self):
        """The processes of the task."""
        return {pid for pid in processes.descendants(self.init)
                if processes.command_line(pid) == f"sleep {MARK}" and processes.alive(pid)}

    def named(self, name):
        return [pid for pid in processes.descendants(self.init) if processes.command_line(pid) == name]

    def killed_and_back(self, number):
        """Sends vigild the signal and waits for the one that systemd starts in its place."""
        vigild = self.main_pid()
        os.kill(vigild, number)
        eventually(lambda: self.main_pid() not in (None, vigild), limit=90, what="systemd starts vigild again")
        eventually(lambda: self.command("systemctl", "is-active", "vigil").code == 0, what="it is ready")

    def killed_again_and_again(self, times):
        """kill -9 of each vigild that systemd starts, as soon as it is ready; then waits for the last one."""
        def ready():
            return self.command("systemctl", "is-active", "vigil").code == 0 and self.main_pid()
        for _ in range(times):
            vigild = eventually(ready, limit=60, what="systemd has started vigild")
            os.kill(vigild, signal.SIGKILL)
            eventually(lambda: not processes.alive(vigild), what="it is dead")
        eventually(ready, limit=60, what="systemd has started vigild again")

    def whole_tree(self):
        return eventually(lambda: len(found := self.marked()) == 2 and found, what="the task's two processes")


@case(timeout=180)
def a_start_waits_for_readiness_and_a_stop_leaves_nothing():
    with Machine() as machine:
        machine.succeeds("systemctl", "start", "vigil")
        equal(machine.property("ActiveState"), "active", "ActiveState")
        contains(machine.succeeds("/usr/local/bin/vigilctl", "status").out, "tree", "healthy")
        machine.whole_tree()
        contains(machine.succeeds("stat", "-c", "%a", "/run/vigil").out, "711")
        equal(machine.property("NFileDescriptorStore"), "0", "descriptors kept by systemd")
        machine.succeeds("systemctl", "stop", "vigil")
        equal(machine.property("Result"), "success", "Result")
        assert not machine.marked(), processes.describe(machine.marked())
        equal(machine.succeeds("ls", "/run/vigil").out.split(), ["lock", "notify"], "the runtime directory")
        equal(machine.succeeds("ls", "/run/vigil/notify").out, "", "notify sockets")
        machine.succeeds("systemctl", "start", "vigil")
        machine.whole_tree()


@case(timeout=180)
def an_upgrade_changes_nothing_for_systemd_and_a_stop_after_it_leaves_nothing():
    with Machine(drop_in="WatchdogSec=5") as machine:
        machine.succeeds("systemctl", "start", "vigil")
        tree, vigild = machine.whole_tree(), machine.main_pid()
        contains(machine.succeeds("/usr/local/bin/vigilctl", "upgrade").out, "goes on as")
        equal((machine.main_pid(), machine.property("ActiveState"), machine.property("NRestarts")), (vigild, "active", "0"),
              "the unit")
        equal(machine.whole_tree(), tree, "the task's processes")
        machine.killed_and_back(signal.SIGKILL)
        equal(machine.whole_tree(), tree, "the task's processes after a crash")
        machine.succeeds("/usr/local/bin/vigilctl", "upgrade")
        machine.succeeds("systemctl", "stop", "vigil")
        equal(machine.property("Result"), "success", "Result")
        assert not machine.marked(), processes.describe(machine.marked())


@case(timeout=180)
def systemctl_reload_takes_over_a_changed_configuration_and_fails_for_a_broken_one():
    with Machine() as machine:
        machine.succeeds("systemctl", "start", "vigil")
        machine.whole_tree()
        vigild = machine.main_pid()
        tasks = {**TASKS, "more": {"command": ["/bin/sleep", "1000"]}}
        machine.succeeds("/bin/sh", "-c", "cat > /etc/vigil/vigil.json <<'END'\n"
                         + json.dumps({"version": 1, "tasks": tasks}) + "\nEND")
        machine.succeeds("systemctl", "reload", "vigil")
        contains(machine.succeeds("/usr/local/bin/vigilctl", "wait", "more", "--for=healthy").out, "more")
        machine.succeeds("/bin/sh", "-c", "echo '{' > /etc/vigil/vigil.json")
        assert machine.command("systemctl", "reload", "vigil").code != 0, "a broken configuration was reloaded"
        equal((machine.property("ActiveState"), machine.main_pid()), ("active", vigild), "vigild runs on")
        machine.whole_tree()


@case(timeout=180)
def tasks_get_cgroups_below_the_delegated_unit_and_print_to_the_journal():
    tasks = {**TASKS, "talks": {"command": ["/bin/sh", "-c", "echo said in the journal; exec sleep 1000"],
                                "output": {"to": "journal"}},
             "keeps": {"command": ["/bin/sh", "-c", "echo said in the log; exec sleep 1000"]}}
    with Machine(json.dumps({"version": 1, "daemon": {"control": {"group": "adm"}}, "tasks": tasks})) as machine:
        machine.succeeds("systemctl", "start", "vigil")
        machine.whole_tree()
        unit = "/sys/fs/cgroup/system.slice/vigil.service"
        equal(machine.succeeds("cat", f"{unit}/tasks/tree.1/cgroup.procs").out.count("\n"), 2, "the task's processes")
        equal(machine.succeeds("cat", f"{unit}/vigild/cgroup.procs").out.count("\n"), 1, "vigild in a leaf")
        eventually(lambda: "said in the journal" in machine.command("journalctl", "--no-pager", "-t", "talks").out,
                   what="the line in the journal")
        eventually(lambda: machine.command("/usr/local/bin/vigilctl", "logs", "keeps").out == "said in the log\n",
                   what="the line in the log")
        # Who may restart a task may read what it printed, also after systemd has started the daemon again.
        shown = ("stat", "-c", "%a %G", "/var/log/vigil", "/var/log/vigil/keeps.log")
        equal(machine.succeeds(*shown).out, "750 adm\n640 adm\n", "mode and group of logs")
        machine.succeeds("/usr/local/bin/vigilctl", "stop", "tree")
        assert not machine.marked(), processes.describe(machine.marked())
        equal(machine.command("test", "-e", f"{unit}/tasks/tree.1").code, 1, "its cgroup is gone")
        machine.succeeds("systemctl", "restart", "vigil")
        machine.whole_tree()
        equal(machine.succeeds(*shown).out, "750 adm\n640 adm\n", "mode and group of logs after a restart")
        machine.succeeds("systemctl", "stop", "vigil")
        equal(machine.property("Result"), "success", "Result")


@case(timeout=180)
def crashes_of_vigild_one_after_the_other_harm_no_task_and_the_vigild_that_systemd_starts_takes_them_over():
    with Machine() as machine:
        machine.succeeds("systemctl", "start", "vigil")
        before = machine.whole_tree()
        # More often in a row than systemd puts up with by default: five times in ten seconds.
        machine.killed_again_and_again(8)
        equal(machine.whole_tree(), before, "the task's processes")
        eventually(lambda: "adopted" in machine.succeeds("/usr/local/bin/vigilctl", "status").out, what="it is adopted")
        equal((machine.property("NRestarts"), machine.property("Result")), ("8", "success"), "NRestarts and Result")
        equal(len(machine.named("vigil-keeper")), 1, "keepers")
        machine.succeeds("systemctl", "restart", "vigil")
        after = machine.whole_tree()
        assert not before & after, "a restart of the unit restarts its tasks"
        machine.succeeds("systemctl", "stop", "vigil")
        assert not machine.marked(), processes.describe(machine.marked())
        assert not machine.named("vigil-keeper"), "the keeper is left"


@case(timeout=180)
def nasty_85b_a_stop_while_systemd_waits_to_start_vigild_again_leaves_nothing_and_the_next_start_is_a_fresh_one():
    with Machine(drop_in="RestartSec=1s") as machine:
        machine.succeeds("systemctl", "start", "vigil")
        before = machine.whole_tree()
        os.kill(machine.main_pid(), signal.SIGKILL)
        eventually(lambda: machine.property("SubState") == "auto-restart", what="systemd waits for RestartSec")
        machine.succeeds("systemctl", "stop", "vigil")
        # Neither vigild nor the unit's ExecStopPost has run at that, but what the one after the crash has left behind.
        eventually(lambda: not machine.marked() and not machine.named("vigil-keeper"), what="everything is ended")
        eventually(lambda: not [pid for pid in processes.descendants(machine.init) if "vigild" in processes.command_line(pid)],
                   what="nobody waits any more")
        machine.succeeds("systemctl", "start", "vigil")
        assert not set(machine.whole_tree()) & set(before), "a process of the run before"
        equal(len(machine.named("vigil-keeper")), 1, "keepers")
        machine.succeeds("systemctl", "stop", "vigil")
        assert not machine.marked(), processes.describe(machine.marked())


@case(timeout=180)
def a_stop_that_vigild_does_not_live_to_complete_leaves_nothing():
    stubborn = {"tree": {**TASKS["tree"], "stop": {"timeout": "300s"},
                         "command": ["/bin/sh", "-c", f"trap '' TERM; setsid setsid sleep {MARK} & sleep {MARK}; sleep {MARK}"]}}
    with Machine(stubborn, drop_in="TimeoutStopSec=2s") as machine:
        machine.succeeds("systemctl", "start", "vigil")
        machine.whole_tree()
        machine.command("systemctl", "stop", "vigil")
        equal(machine.property("Result"), "timeout", "Result")
        eventually(lambda: not machine.marked() and not machine.named("vigil-keeper"), what="everything is ended")


@case(timeout=180)
def a_vigild_that_hangs_is_started_again_by_the_watchdog_and_takes_its_tasks_over():
    with Machine(drop_in="WatchdogSec=2\nTimeoutAbortSec=5\nLimitCORE=0") as machine:
        machine.succeeds("systemctl", "start", "vigil")
        before = machine.whole_tree()
        machine.killed_and_back(signal.SIGSTOP)
        equal(machine.whole_tree(), before, "the task's processes")


@case(timeout=180)
def a_wrong_configuration_fails_the_start_once_and_for_good():
    with Machine(tasks='{ "version": 1, "taks": {} }') as machine:
        assert machine.command("systemctl", "start", "vigil").code != 0
        equal((machine.property("ActiveState"), machine.property("ExecMainStatus"), machine.property("NRestarts")),
              ("failed", "78", "0"), "the unit")
        contains(machine.succeeds("journalctl", "--no-pager", "-u", "vigil").out, "vigil.json:1:17", "tasks")


if __name__ == "__main__":
    main()
