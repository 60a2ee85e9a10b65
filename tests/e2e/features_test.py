"""What a daemon has to work with: told, and done without."""
import os
import signal

import processes
from cases import case, contains, equal, eventually, main
from harness import SLEEP, Daemon, shell
from killed import kill, states


def without(feature):
    """A daemon that must do without something, killed and come again; and what it tells of that."""
    with Daemon({"runs": SLEEP, "leaves": {"command": shell("setsid sleep 1000 & exec sleep 1000")}, "ends": SLEEP},
                options=[f"--disable-feature={feature}"]) as daemon:
        before = states(daemon)
        kill(daemon)
        pid = before["ends"][1]
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        daemon.start()
        equal(daemon.started_again("ends", 1)["generation"], 2, "what ended meanwhile")
        after = states(daemon)
        equal([after[name] for name in ("runs", "leaves")], [before[name] for name in ("runs", "leaves")], "the others")
        platform = daemon.ctl("version", "--verbose", "--json").json
        equal(platform["features"][feature], "disabled", "what version tells")
        return platform


@case()
def tasks_are_taken_over_where_a_pidfd_has_no_inode_of_its_own():
    without("pidfd-inode")


@case()
def tasks_are_taken_over_where_a_pidfd_does_not_tell_how_a_process_ended():
    without("exit-info")


@case()
def tasks_are_taken_over_where_nobody_keeps_their_descriptors():
    equal(without("keeper")["keeper_pid"], None, "the keeper")


@case()
def what_a_daemon_has_to_work_with_is_told():
    with Daemon({"a": SLEEP}, daemon={"cgroup": "off"}) as daemon:
        platform = daemon.ctl("version", "--verbose", "--json").json
        equal(processes.command_line(platform["keeper_pid"]), "vigil-keeper", "the keeper")
        equal(platform["cgroup_home"], None, "cgroups")
        assert set(platform["features"].values()) <= {"found", "missing"}, platform
        contains(daemon.ctl("version", "--verbose").out, f"keeper: running, pid {platform['keeper_pid']}",
                 "cgroups of tasks: none", "  pidfd-inode: ")
        assert "keeper" not in daemon.ctl("version").out
        os.kill(platform["keeper_pid"], signal.SIGKILL)
        eventually(lambda: daemon.rpc("daemon.status")["keeper_pid"] not in (None, platform["keeper_pid"]),
                   what="another keeper is told of")


if __name__ == "__main__":
    main()
