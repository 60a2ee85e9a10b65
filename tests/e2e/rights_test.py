"""Who may do what: root and the daemon's user all, its group what concerns tasks that exist, readers only look."""
import json
import os
import shutil

import cases
from cases import case, contains, equal, main, need_ordinary_user
from client import Client
from harness import HERE, PYTHON, SLEEP, Daemon, run

STRANGER, OPERATOR, READER = 23001, 23002, 23003
OPERATORS, READERS = 24001, 24002
DENIED = 77
ASKS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from client import Client
print(json.dumps(Client(sys.argv[2]).call("task.status", {"name": "a", "spec": True})))
"""


def somebody(uid, *groups):
    further = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", further]


class Place:
    """A daemon with groups, and a vigilctl that every user can reach."""

    def __init__(self, **control):
        self.daemon = Daemon({"a": {**SLEEP, "env": {"TOKEN": "hunter2"}}, "b": SLEEP}, daemon={"control": control})

    def __enter__(self):
        need_ordinary_user()
        self.daemon.__enter__()
        self.program = shutil.copy(cases.VIGILCTL, self.daemon.path("vigilctl"))
        return self

    def __exit__(self, *failure):
        self.daemon.__exit__(*failure)

    def ctl(self, who, *arguments):
        return run([*who, self.program, *arguments],
                   env={"PATH": os.environ["PATH"], "VIGIL_SOCKET": self.daemon.socket})


@case()
def nasty_67_a_stranger_is_denied_everything():
    with Place(group=str(OPERATORS)) as place:
        for arguments in (["status"], ["stop", "a"], ["add", "x", "--", "/bin/true"], ["events", "--json"],
                          ["shutdown"]):
            outcome = place.ctl(somebody(STRANGER), *arguments)
            equal(outcome.code, DENIED, f"{arguments}: {outcome}")
            assert outcome.err and not outcome.out, outcome
        equal(place.daemon.status("a")["generation"], 1, "the task")


@case()
def nasty_67_nobody_is_denied_also_where_everybody_may_look():
    # 65534 is what the kernel shows for every user and group that it cannot name.
    with Place(group=str(OPERATORS), read_group=str(READERS)) as place:
        for arguments in (["status"], ["stop", "a"]):
            equal(place.ctl(somebody(65534), *arguments).code, DENIED, f"{arguments} of nobody")
            equal(place.ctl(somebody(STRANGER, 65534), *arguments).code, DENIED, f"{arguments} of a member of nogroup")
        contains(place.daemon.log, "to uid 65534, pid")
        equal(place.daemon.status("a")["generation"], 1, "the task")


@case()
def members_of_the_group_may_order_tasks_that_exist_and_add_none():
    with Place(group=str(OPERATORS)) as place:
        who = somebody(OPERATOR, OPERATORS)
        for arguments in (["status"], ["status", "a", "--json"], ["stop", "a"], ["start", "a"], ["restart", "a"],
                          ["signal", "CONT", "a"], ["kill", "b"]):
            outcome = place.ctl(who, *arguments)
            equal(outcome.code, 0, f"{arguments}: {outcome}")
        for arguments in (["add", "x", "--", "/bin/true"], ["remove", "a"], ["shutdown"]):
            outcome = place.ctl(who, *arguments)
            equal(outcome.code, DENIED, f"{arguments}: {outcome}")
        equal(place.daemon.status("b")["cause"]["kind"], "operator", "cause")
        equal(place.daemon.status("b")["cause"]["uid"], OPERATOR, "who it was")
        contains(place.daemon.log, str(OPERATOR), "vigilctl")


@case()
def members_of_the_read_group_may_only_look():
    with Place(group=str(OPERATORS), read_group=str(READERS)) as place:
        who = somebody(READER, READERS)
        equal(place.ctl(who, "status").code, 0, "status")
        equal(place.ctl(who, "show", "a").code, 0, "show")
        for arguments in (["stop", "a"], ["restart", "a"], ["signal", "HUP", "a"], ["kill", "a"], ["remove", "a"],
                          ["add", "x", "--", "/bin/true"], ["shutdown"]):
            outcome = place.ctl(who, *arguments)
            equal(outcome.code, DENIED, f"{arguments}: {outcome}")
        outcome = place.ctl(somebody(STRANGER), "status")
        equal(outcome.code, DENIED, f"the socket is open to all now, the daemon is not: {outcome}")
        equal(place.ctl(somebody(OPERATOR, OPERATORS), "restart", "a").code, 0, "operators still may")


@case()
def environment_values_are_masked_for_all_but_root_and_the_daemons_user():
    with Place(group=str(OPERATORS), read_group=str(READERS)) as place:
        for who in (somebody(OPERATOR, OPERATORS), somebody(READER, READERS)):
            for arguments in (["show", "a"], ["status", "a", "--json"]):
                outcome = place.ctl(who, *arguments)
                equal(outcome.code, 0, outcome)
                assert "hunter2" not in outcome.out + outcome.err, outcome
            asked = run([*who, PYTHON, "-B", "-c", ASKS, reachable_copy(place, "client.py"), place.daemon.socket])
            equal(asked.code, 0, asked)
            assert "hunter2" not in asked.out and "TOKEN" in asked.out, asked


def reachable_copy(place, name):
    """The directory of a copy of a file of ours, for users who cannot enter the source tree."""
    shutil.copy(os.path.join(HERE, name), place.daemon.path(name))
    return place.daemon.directory


@case()
def a_denied_call_is_logged_with_who_it_was():
    with Place(read_group=str(READERS)) as place:
        equal(place.ctl(somebody(READER, READERS), "stop", "a").code, DENIED, "stop")
        contains(place.daemon.log, str(READER))
        assert place.daemon.rpc("daemon.status")["dropped"]["requests_denied"] >= 1


@case()
def rights_are_checked_before_parameters_and_names():
    with Place(read_group=str(READERS)) as place:
        for arguments in (["stop", "no-such-task"], ["remove", "no-such-task"]):
            outcome = place.ctl(somebody(READER, READERS), *arguments)
            equal(outcome.code, DENIED, f"whether a task exists is not told by a refusal: {outcome}")


@case()
def an_ordinary_user_runs_a_daemon_of_his_own_without_any_cgroup():
    need_ordinary_user()
    uid = STRANGER
    daemon = Daemon({"a": SLEEP}, uid=uid)
    home = daemon.directory
    # Nothing configured: the directories are the XDG ones, and vigilctl finds the socket there by itself.
    daemon.config["daemon"] = {}
    daemon.write_config(json.dumps(daemon.config))
    daemon.runtime_dir = os.path.join(home, "x", "vigil")
    daemon.socket = os.path.join(daemon.runtime_dir, "control.sock")
    os.mkdir(os.path.join(home, "x"), 0o700)
    os.chown(os.path.join(home, "x"), uid, uid)
    daemon._env["XDG_RUNTIME_DIR"] = os.path.join(home, "x")
    with daemon:
        status = daemon.status("a")
        equal(os.stat(f"/proc/{status['pid']}").st_uid, uid, "the task's user")
        program = shutil.copy(cases.VIGILCTL, daemon.path("vigilctl"))
        environment = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": os.path.join(home, "x")}
        outcome = run([*somebody(uid), program, "status", "a", "--json"], env=environment)
        equal((outcome.code, outcome.json["tasks"][0]["status"]), (0, "healthy"), outcome)
        equal(run([*somebody(uid), program, "restart", "a"], env=environment).code, 0, "restart")
        outcome = run([*somebody(OPERATOR), program, "-s", daemon.socket, "status"], env=environment)
        assert outcome.code in (69, DENIED), outcome
        with Client(daemon.socket) as root:
            equal(root.call("daemon.hello")["name"], "vigild", "root may, here too")


@case()
def nasty_86_an_ordinary_user_without_xdg_directories_gets_an_answer_that_says_why():
    need_ordinary_user()
    daemon = Daemon({"a": SLEEP}, uid=OPERATOR, wait=False)
    daemon.config["daemon"] = {}
    daemon.write_config(json.dumps(daemon.config))
    try:
        daemon.start()
        assert daemon.wait() in (1, 78), daemon.process.returncode
        contains(daemon.log, "XDG_RUNTIME_DIR")
    finally:
        daemon._clean_up(failed=False)


@case()
def an_ordinary_users_task_that_names_another_user_fails_and_never_runs():
    need_ordinary_user()
    with Daemon({"a": {**SLEEP, "user": "0", "restart": {"max_attempts": 0}}}, uid=STRANGER) as daemon:
        status = daemon.reaches("a", "dead")
        equal(status["cause"]["last"]["kind"], "spawn-failed", "cause")


if __name__ == "__main__":
    main()
