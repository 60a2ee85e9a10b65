"""The wall clock is for people: whatever it is set to, nothing is started, ended or waited for by it."""
import os
import time

import cases
from cases import Skip, always, case, contains, equal, eventually, main, now
from harness import SLEEP, Daemon, beater, failing

YEAR = 365 * 24 * 3600


@case()
def nasty_46_the_wall_clock_set_ahead_and_back_by_a_year_changes_nothing_but_what_is_shown():
    shim = os.path.join(cases.BUILD, "tests", "tools", "libvigil_wall_clock.so")
    if cases.PATIENCE > 1:
        raise Skip("a sanitizer wants to be loaded before everything else")
    tasks = {"beats": beater(timeout="900ms"), "other": SLEEP,
             "mute": {**SLEEP, "ready": {"on": "notify", "timeout": "60s"}},
             "delayed": {**failing(base_delay="3s", max_attempts=5), "autostart": False}}
    daemon = Daemon(tasks)
    daemon._env.update({"LD_PRELOAD": shim, "VIGIL_TEST_CLOCK": daemon.path("clock")})
    daemon._all_begun = lambda: True

    def set_clock(seconds):
        with open(daemon.path("clock.new"), "w") as file:
            file.write(str(seconds))
        os.rename(daemon.path("clock.new"), daemon.path("clock"))

    def nothing_happened():
        found = {task["name"]: task for task in daemon.rpc("task.status")["tasks"]}
        return ([(found[name]["status"], found[name]["generation"]) for name in ("beats", "other", "mute", "delayed")]
                == [("healthy", 1), ("healthy", 1), ("starting", 1), ("failed", 1)])

    def shows(seconds):
        """By a line of the log: its time is the wall clock's."""
        equal(daemon.ctl("signal", "CONT", "other").code, 0, "an order that is logged")
        contains(daemon.log, time.strftime("%Y-%m-", time.gmtime(time.time() + seconds)))

    with daemon:
        daemon.reaches("beats", "healthy")
        daemon.reaches("mute", "starting")
        daemon.rpc("task.start", {"name": "delayed", "wait": False})
        daemon.reaches("delayed", "failed")
        failed = now()
        set_clock(YEAR)
        shows(YEAR)
        always(nothing_happened, 1.2, "a year ahead")
        set_clock(-YEAR)
        shows(-YEAR)
        always(nothing_happened, 0.8, "a year back")
        beats = daemon.status("beats")
        assert 0 <= beats["uptime_ms"] < 60_000 and 0 <= beats["last_heartbeat_age_ms"] < 900, beats
        eventually(lambda: daemon.status("delayed")["generation"] == 2, what="the start that was due")
        assert 2.5 < now() - failed < 15, f"{now() - failed:.2f} s after the failure"
        equal(daemon.ctl("stop", "*").code, 0, "stop")


if __name__ == "__main__":
    main()
