"""A systemd with a machine of its own to manage, in name spaces: what tests/e2e/systemd_boot.sh makes."""
import os
import shutil
import subprocess
import tempfile
import time

SYSTEMD = "/usr/lib/systemd/systemd"
BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/e2e/systemd_boot.sh")
PATIENCE = 60


def why_not():
    """Why there can be no such machine here; None where it can."""
    if os.geteuid() != 0:
        return "booting a systemd needs root"
    if not os.path.exists(SYSTEMD):
        return "there is no systemd here"
    return None if cgroup_root() else "no cgroup2 is mounted here"


def cgroup_root():
    with open("/proc/mounts") as mounts:
        return next((line.split()[1] for line in mounts if line.split()[2] == "cgroup2"), None)


class Machine:
    """Booted for the length of a block; nothing of it stays. Its `inside` goes before a command that is to run there."""

    def __init__(self, prefix=()):
        """`prefix` goes before the command that becomes its systemd."""
        self.prefix = list(prefix)

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="vm", dir="/tmp")
        for name in ("new", "stage"):
            os.mkdir(os.path.join(self.directory, name))
        self.cgroup = os.path.join(cgroup_root(), f"vigil-bench-{os.getpid()}")
        os.mkdir(self.cgroup)
        self.init = None
        self.log = open(os.path.join(self.directory, "log"), "w+")
        self.process = subprocess.Popen(
            [*self.prefix, "unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "--net", "--kill-child", BOOT,
             os.path.join(self.directory, "new"), os.path.join(self.directory, "stage")],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            preexec_fn=lambda: open(os.path.join(self.cgroup, "cgroup.procs"), "w").write("0"))
        try:
            self._wait(self._booted, "systemd has not booted")
        except BaseException:
            self.__exit__()
            raise
        self.inside = ["nsenter", "-t", str(self.init), "-a"]
        return self

    def _wait(self, condition, complaint):
        late = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > late:
                raise RuntimeError(f"{complaint} within {PATIENCE} s")
            time.sleep(0.1)

    def _booted(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise RuntimeError(f"no systemd can be booted here: {self.log.read().strip()[-300:]}")
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            self.init = next(iter(children.read().split()), None)
        return self.init and subprocess.run(["nsenter", "-t", self.init, "-a", "systemctl", "is-active", "vigil-test.target"],
                                            capture_output=True, check=False).returncode == 0

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self._wait(self._cgroup_removed, "the machine's cgroups are not gone")
        shutil.rmtree(self.directory)

    def _cgroup_removed(self):
        for place, _, _ in os.walk(self.cgroup, topdown=False):
            try:
                os.rmdir(place)
            except OSError:
                return False
        return True
