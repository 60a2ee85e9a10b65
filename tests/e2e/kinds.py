"""Daemons of all the kinds that differ in how they hold a tree: with a cgroup and without, as root and not."""
import contextlib
import os

from cases import contains, need_ordinary_user, need_root
from cgroups import Cgroup
from harness import Daemon

# Nobody else on the machine is this.
STRANGER = 54321


@contextlib.contextmanager
def daemon_of(kind, tasks=None, **more):
    """A daemon: "root with a cgroup", "root", "user with a cgroup", "user"."""
    uid = STRANGER if kind.startswith("user") else None
    if uid is not None:
        need_ordinary_user()
    else:
        need_root("the cgroups of root")
    with contextlib.ExitStack() as stack:
        cgroup = None
        if kind.endswith("with a cgroup"):
            cgroup = stack.enter_context(Cgroup(uid))
            more["around"] = cgroup.wrap
        else:
            more.setdefault("daemon", {})["cgroup"] = "off"
        daemon = stack.enter_context(Daemon(tasks, uid=uid, **more))
        daemon.cgroup = cgroup
        if cgroup:
            contains(daemon.log, cgroup.path)
        yield daemon
    if cgroup:
        assert not os.path.exists(cgroup.path), "the cgroup is still there"
