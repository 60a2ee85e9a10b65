"""vigilctl diff and reload: what they show, whom they ask, and who may."""
import os
import pty
import shutil
import signal
import subprocess

import cases
from cases import case, contains, equal, main, need_ordinary_user
from configs import SLEEPS, pids, rewrite
from harness import SLEEP, Daemon, run


def on_a_terminal(daemon, *arguments, answer=None):
    """Exit code and all that vigilctl says to a terminal."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen([cases.VIGILCTL, "-s", daemon.socket, *arguments], stdin=theirs, stdout=theirs,
                             stderr=theirs, env={"PATH": os.environ["PATH"], "TERM": "dumb"})
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
            if answer is not None and b"[y/N]" in said:
                if isinstance(answer, bytes):
                    os.write(ours, answer)
                else:
                    child.send_signal(answer)
                answer = None
    except OSError:
        pass  # the other end was closed
    os.close(ours)
    return child.wait(), said.decode()


@case()
def diff_and_dry_run_tell_what_would_change_and_change_nothing():
    with Daemon(SLEEPS) as daemon:
        equal(daemon.ctl("diff").code, 0, "no difference")
        before = pids(daemon)
        rewrite(daemon, {"a": {**SLEEP, "nice": 3, "restart": {"base_delay": "7s"}}, "b": SLEEP, "new": SLEEP},
                daemon={**daemon.config["daemon"], "log": {"level": "debug"}, "cgroup": "off"})
        outcome = daemon.ctl("diff")
        equal(outcome.code, 1, outcome)
        contains(outcome.out, "removed  c", "changed  a: restarts if it runs", "nice: null -> 3  (restart)",
                 'restart.base_delay: "1s" -> "7s"  (live)', "added    new", 'daemon.log.level: "info" -> "debug"  (live)',
                 "daemon.cgroup", "at the next start of vigild", "1 unchanged")
        document = daemon.ctl("diff", "--json").json
        equal((document["applied"], document["added"], document["removed"], document["tasks"]),
              (False, ["new"], ["c"], []), document)
        equal(daemon.ctl("reload", "--dry-run").code, 0, "dry run")
        equal(pids(daemon), before, "nothing was changed")
        equal(daemon.ctl("reload").code, 0, "reload")
        equal(daemon.ctl("diff", "--json").json["daemon"],
              [{"key": "daemon.cgroup", "before": "auto", "after": "off", "change": "daemon"}],
              "what waits for a start of vigild is still a difference")
        daemon.write_config("{")
        equal(daemon.ctl("diff").code, 78, "a broken file")


@case()
def on_a_terminal_status_hints_at_a_changed_configuration_and_reload_asks():
    with Daemon({"a": SLEEP}) as daemon:
        hint = "vigilctl reload"
        assert hint not in on_a_terminal(daemon, "status")[1], "a hint without a change"
        rewrite(daemon, {"a": SLEEP, "b": SLEEP})
        code, said = on_a_terminal(daemon, "status")
        equal(code, 0, said)
        contains(said, hint)
        outcome = daemon.ctl("status")
        assert hint not in outcome.err + outcome.out, "a hint without a terminal"
        code, said = on_a_terminal(daemon, "reload", answer=b"n\n")
        equal((code, sorted(pids(daemon))), (1, ["a"]), said)
        contains(said, "added    b", "Apply this?")
        code, said = on_a_terminal(daemon, "reload", answer=signal.SIGINT)
        equal((code, sorted(pids(daemon))), (130, ["a"]), said)
        code, said = on_a_terminal(daemon, "reload", answer=b"y\n")
        equal((code, sorted(pids(daemon))), (0, ["a", "b"]), said)
        rewrite(daemon, {"a": SLEEP})
        code, said = on_a_terminal(daemon, "reload", "-y")
        equal((code, sorted(pids(daemon)), "Apply" in said), (0, ["a"], False), said)


@case()
def who_may_only_look_or_order_can_neither_reload_nor_see_the_difference():
    need_ordinary_user()
    with Daemon({"a": {**SLEEP, "env": {"TOKEN": "hunter2"}}},
                daemon={"control": {"group": "24001", "read_group": "24002"}}) as daemon:
        program = shutil.copy(cases.VIGILCTL, daemon.path("vigilctl"))
        rewrite(daemon, {"a": {**SLEEP, "env": {"TOKEN": "hunter3"}}})
        for group in ("24001", "24002"):
            who = ["setpriv", "--reuid=23001", "--regid=23001", f"--groups={group}"]
            for arguments in (["diff"], ["reload"], ["reload", "--dry-run"], ["add", "x", "--persist", "--", "/bin/true"]):
                outcome = run([*who, program, *arguments],
                              env={"PATH": os.environ["PATH"], "VIGIL_SOCKET": daemon.socket})
                equal(outcome.code, 77, f"{arguments}: {outcome}")
                assert "hunter" not in outcome.out + outcome.err, outcome
        contains(daemon.ctl("diff").out, "hunter3")
        equal(daemon.ctl("reload").code, 0, "root may")
        assert "hunter" not in daemon.log, "a value of the environment is in the log"


if __name__ == "__main__":
    main()
