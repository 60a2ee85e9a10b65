"""Cgroups of a case's own, below the machine's and gone with the case."""
import os
import time

from cases import Skip

_made = 0


def hierarchy():
    """Where cgroup version 2 is mounted, and where in it we are."""
    mount = None
    with open("/proc/self/mountinfo") as file:
        for line in file:
            fields, _, rest = line.partition(" - ")
            if rest.split()[0] == "cgroup2":
                mount = fields.split()[4]
    if mount is None:
        raise Skip("cgroup version 2 is not mounted")
    with open("/proc/self/cgroup") as file:
        own = next((line.split(":", 2)[2].strip() for line in file if line.startswith("0::")), None)
    if own is None:
        raise Skip("this process is in no cgroup of version 2")
    return mount, own


class Cgroup:
    """with Cgroup(uid) as cgroup: a directory that a daemon started through `cgroup.wrap` finds delegated to it."""

    def __init__(self, uid=None):
        global _made
        mount, own = hierarchy()
        _made += 1
        self.path = os.path.join(mount, own.strip("/"), f"vigil-test-{os.getpid()}-{_made}").rstrip("/")
        self.uid = uid

    def __enter__(self):
        try:
            os.mkdir(self.path)
        except OSError as error:
            raise Skip(f"no cgroup may be made here: {error}")
        if self.uid is not None:
            for name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
                os.chown(os.path.join(self.path, name), self.uid, self.uid)
        return self

    @property
    def wrap(self):
        """Goes before a command, which then runs in this cgroup. Root only."""
        return ["/bin/sh", "-c", f'echo $$ >"{self.path}/cgroup.procs" && exec "$@"', "sh"]

    def below(self):
        """Every cgroup below this one, relative to it, deepest first."""
        return sorted((os.path.relpath(place, self.path) for place, _, _ in os.walk(self.path)
                       if place != self.path), key=lambda name: -name.count("/"))

    def read(self, name):
        with open(os.path.join(self.path, name)) as file:
            return file.read()

    def __exit__(self, *_):
        kill = os.path.join(self.path, "cgroup.kill")
        if os.path.exists(kill):
            with open(kill, "w") as file:
                file.write("1")
        for _ in range(100):
            try:
                for name in self.below():
                    os.rmdir(os.path.join(self.path, name))
                os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.05)
