"""Tasks that cannot start, and what a task is started with."""
import json
import os
import stat
import time

import processes
from cases import case, contains, equal, eventually, main, need_root
from harness import SLEEP, Daemon, shell

NO_RETRY = {"base_delay": "50ms", "jitter": 0, "max_attempts": 1}


def fails(daemon, name, spec):
    """Adds a task that cannot start, and gives the cause of its last failure."""
    outcome = daemon.ctl("add", name, "-f", "-", input=json.dumps({**spec, "restart": NO_RETRY}))
    equal(outcome.code, 1, f"add {name}: {outcome}")
    status = daemon.reaches(name, "dead")
    cause = status["cause"]
    equal(cause["kind"], "attempts-exhausted", f"cause of {name}")
    equal(cause["last"]["kind"], "spawn-failed", f"last failure of {name}")
    contains(outcome.err, name)
    return cause["last"]


@case()
def nasty_1_a_command_that_cannot_be_run_is_reported_with_stage_and_errno():
    with Daemon({"bystander": SLEEP}) as daemon:
        plain, loop = daemon.path("plain"), daemon.path("loop")
        with open(plain, "w") as file:
            file.write("no program\n")
        os.symlink(loop, loop)
        equal(fails(daemon, "missing", {"command": ["/nowhere/at/all"]})["errno"], "ENOENT", "missing")
        equal(fails(daemon, "unfound", {"command": ["no-such-program-anywhere"]})["errno"], "ENOENT", "not in PATH")
        equal(fails(daemon, "forbidden", {"command": [plain]})["errno"], "EACCES", "not executable")
        equal(fails(daemon, "a-directory", {"command": [daemon.directory]})["errno"], "EACCES", "a directory")
        equal(fails(daemon, "loops", {"command": [loop]})["errno"], "ELOOP", "a link to itself")
        equal(fails(daemon, "below-a-file", {"command": [plain + "/x"]})["errno"], "ENOTDIR", "below a file")
        equal(fails(daemon, "too-big", {"command": ["/bin/true", "x" * 140_000]})["errno"], "E2BIG", "a huge argument")
        os.chmod(plain, 0o755)
        exec_failure = fails(daemon, "no-format", {"command": [plain]})
        equal((exec_failure["stage"], exec_failure["errno"]), ("exec", "ENOEXEC"), "no format")
        equal(daemon.status("bystander")["generation"], 1, "the task beside them")


@case()
def nasty_2_a_missing_interpreter_is_named():
    with Daemon() as daemon:
        for name, first_line in (("missing", "#!/nowhere/python9\n"), ("crlf", "#!/bin/sh\r\n")):
            script = daemon.path(name)
            with open(script, "w", newline="") as file:
                file.write(first_line + "exit 0\n")
            os.chmod(script, 0o755)
            failure = fails(daemon, name, {"command": [script]})
            equal(failure["errno"], "ENOENT", name)
            contains(failure["text"] + (failure["detail"] or ""), "interpreter")


@case()
def nasty_11_a_missing_working_directory_fails_the_task_alone():
    with Daemon({"bystander": SLEEP}) as daemon:
        failure = fails(daemon, "lost", {**SLEEP, "cwd": "/nowhere"})
        equal((failure["stage"], failure["errno"]), ("cwd", "ENOENT"), "the failure")
        equal(daemon.status("bystander")["status"], "healthy", "the task beside it")


@case()
def nasty_12_an_unknown_user_or_group_never_becomes_root():
    need_root()
    with Daemon() as daemon:
        for key in ("user", "group"):
            for value in ("nobody-of-that-name", "0day", "0x0", "4294967295"):
                name = f"{key}-{value}"
                outcome = daemon.ctl("add", name, "-f", "-",
                                     input=json.dumps({**SLEEP, key: value, "restart": NO_RETRY}))
                assert outcome.code in (1, 78), f"{name}: {outcome}"
                if outcome.code == 1:
                    status = daemon.reaches(name, "dead")
                    equal(status["cause"]["last"]["kind"], "spawn-failed", name)


@case()
def nasty_3_a_busy_program_is_retried_without_an_attempt():
    with Daemon() as daemon:
        program = daemon.path("program")
        with open("/bin/sleep", "rb") as source, open(program, "wb") as copy:
            copy.write(source.read())
        os.chmod(program, 0o755)
        with open(program, "ab"):  # open for writing: ETXTBSY
            daemon.rpc("task.add", {"name": "busy", "wait": False, "spec": {
                "command": [program, "1000"], "restart": {"base_delay": "50ms", "jitter": 0, "max_attempts": 1}}})
            time.sleep(0.6)
            status = daemon.status("busy")
            equal((status["status"], status["restart_attempts"]), ("failed", 0), "while it is written")
            equal((status["cause"]["kind"], status["cause"]["errno"]), ("spawn-failed", "ETXTBSY"), "cause")
        daemon.reaches("busy", "healthy")


@case()
def nasty_13_a_task_gets_what_is_configured_and_nothing_else():
    need_root()
    with Daemon(env={"SECRET": "s", "NOTIFY_SOCKET": "/nowhere", "LISTEN_FDS": "3", "LD_BIND_NOW": "1",
                     "PASSED": "yes", "INVOCATION_ID": "x", "JOURNAL_STREAM": "1:2"}) as daemon:
        daemon.rpc("task.add", {"name": "probe", "spec": {
            **SLEEP, "user": "65534", "group": "65534", "supplementary_groups": ["7", "9"], "umask": "027",
            "cwd": "/usr", "nice": 3, "oom_score_adj": 50, "no_new_privs": True, "rlimits": {"nofile": 77},
            "inherit_env": ["PASSED"], "env": {"MINE": "${PASSED}-1", "OTHER": "${UNSET:-text}"}}})
        pid = daemon.status("probe")["pid"]
        environment = eventually(lambda: processes.environment(pid), what="the kernel shows the new program")
        known = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PASSED", "MINE", "OTHER",
                 "VIGIL_TASK", "VIGIL_GENERATION", "VIGIL_INVOCATION", "VIGIL_RUNTIME_DIR"}
        assert set(environment) <= known, f"leaked: {set(environment) - known}"
        equal((environment["MINE"], environment["OTHER"]), ("yes-1", "text"), "expansion")
        equal((environment["VIGIL_TASK"], environment["VIGIL_GENERATION"]), ("probe", "1"), "marks")
        assert len(environment["VIGIL_INVOCATION"]) == 32, environment["VIGIL_INVOCATION"]
        equal(processes.status_field(pid, "Uid"), ["65534"] * 4, "uid")
        equal(processes.status_field(pid, "Gid"), ["65534"] * 4, "gid")
        equal(processes.status_field(pid, "Groups"), ["7", "9"], "groups")
        equal(processes.status_field(pid, "Umask"), ["0027"], "umask")
        equal(processes.status_field(pid, "NoNewPrivs"), ["1"], "no_new_privs")
        for name in ("SigIgn", "SigBlk"):
            equal(int(processes.status_field(pid, name)[0], 16), 0, name)
        equal(os.readlink(f"/proc/{pid}/cwd"), "/usr", "cwd")
        equal(os.getpriority(os.PRIO_PROCESS, pid), 3, "nice")
        with open(f"/proc/{pid}/oom_score_adj") as file:
            equal(file.read(), "50\n", "oom_score_adj")
        # The dynamic loader of the program has a file open for a moment.
        eventually(lambda: sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"], what="three descriptors")
        equal(os.readlink(f"/proc/{pid}/fd/0"), "/dev/null", "stdin")
        equal(os.getpgid(pid), pid, "its own process group")
        equal(os.getsid(pid), pid, "its own session")


@case()
def the_descriptor_limit_of_the_daemon_is_not_that_of_its_tasks():
    with Daemon(wrap=["/bin/sh", "-c", "ulimit -Sn 1000; exec \"$@\"", "sh"]) as daemon:
        daemon.rpc("task.add", {"name": "probe", "spec": {
            "command": shell(f"ulimit -Sn > {daemon.path('limit')}; exec sleep 1000")}})
        equal(daemon.read("limit"), "1000\n", "the soft limit that vigild was started with")


@case()
def nasty_83_ignored_and_blocked_signals_at_entry_are_not_inherited_by_tasks():
    # nohup ignores HUP, as does a shell without job control INT and QUIT for what it starts in the background.
    with Daemon(wrap=["/bin/sh", "-c", "trap '' HUP INT QUIT PIPE CHLD; exec \"$@\"", "sh"]) as daemon:
        daemon.rpc("task.add", {"name": "probe", "spec": SLEEP})
        pid = daemon.status("probe")["pid"]
        equal(int(processes.status_field(pid, "SigIgn")[0], 16), 0, "ignored signals")
        equal(int(processes.status_field(pid, "SigBlk")[0], 16), 0, "blocked signals")
        daemon.rpc("task.add", {"name": "ends", "wait": False, "spec": {"command": ["/bin/true"]}})
        daemon.reaches("ends", "completed")


@case()
def nasty_84_closed_standard_descriptors_at_entry_do_not_become_sockets():
    with Daemon(wrap=["/bin/sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"]) as daemon:
        daemon.rpc("task.add", {"name": "probe", "spec": {**SLEEP, "output": {"to": "inherit"}}})
        for pid in (daemon.pid, daemon.status("probe")["pid"]):
            for number in range(3):
                assert stat.S_ISCHR(os.stat(f"/proc/{pid}/fd/{number}").st_mode), f"descriptor {number} of {pid}"
        eventually(lambda: daemon.status("probe")["status"] == "healthy", what="healthy")


if __name__ == "__main__":
    main()
