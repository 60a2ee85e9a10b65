"""A vigild that is killed, and a state table that the next one cannot use: no task is lost, and none is there twice."""
import json
import os
import subprocess

import processes
from cases import case, contains, equal, eventually, main, need_root
from harness import SLEEP, Daemon, beater
from killed import copies, kill, kill_and_start, marked, states
from kinds import daemon_of


def spoil(daemon, how):
    """Does to the state table what a disk, a stranger or another version might."""
    table = os.path.join(daemon.runtime_dir, "state")
    if how == "missing":
        os.remove(table)
        return
    with open(table, "r+b") as file:
        if how == "noise":
            file.write(os.urandom(4096))
        elif how == "cut short":
            file.truncate(100)
        elif how == "damaged records":
            file.seek(4096)
            file.write(os.urandom(os.path.getsize(table) - 4096))


def survives_a_spoilt_table(daemon, added):
    daemon.reaches("beats", "healthy")
    equal(daemon.ctl("add", "added", "-f", "-", input=json.dumps(added)).code, 0, "add")
    before = states(daemon)
    for how in ("noise", "missing", "cut short", "damaged records"):
        kill(daemon)
        spoil(daemon, how)
        daemon.start()
        equal(states(daemon), before, how)
        for name, (_, pid, _) in before.items():
            equal(copies(daemon, name), [pid], f"{name} after a table that was {how}")
    contains(daemon.log, "found 3 tasks again", "state.bad could not be used")
    # Found again, they can be driven as before, and a table that is whole again tells the rest.
    equal(daemon.ctl("restart", "plain").code, 0, "restart")
    equal(daemon.status("plain")["generation"], 2, "generation")
    kill_and_start(daemon)
    equal(daemon.status("plain")["generation"], 2, "generation")
    equal(daemon.ctl("remove", "added").code, 0, "remove")
    for name in ("state.bad", "specs.bad"):
        if os.path.exists(os.path.join(daemon.runtime_dir, name)):
            os.remove(os.path.join(daemon.runtime_dir, name))


@case()
def nasty_74_a_state_table_that_is_lost_or_noise_leads_to_no_second_copy_and_loses_no_task():
    daemon = Daemon(daemon={"cgroup": "off"})
    daemon.config["tasks"] = {"plain": marked(daemon, SLEEP), "beats": marked(daemon, beater())}
    daemon.write_config(json.dumps(daemon.config))
    with daemon:
        survives_a_spoilt_table(daemon, marked(daemon, SLEEP))


@case()
def nasty_74_a_lost_state_table_loses_no_task_that_has_a_cgroup():
    with daemon_of("root with a cgroup", {"plain": SLEEP, "beats": beater()}) as daemon:
        daemon.reaches("beats", "healthy")
        before = states(daemon)
        kill(daemon)
        spoil(daemon, "missing")
        daemon.start()
        equal(states(daemon), before, "states")
        equal(sorted(name for name in daemon.cgroup.below() if name.startswith("tasks/")),
              ["tasks/beats.1", "tasks/plain.1"], "cgroups")


@case()
def nasty_74_without_a_table_what_no_configuration_knows_is_ended_and_a_strangers_process_is_left_alone():
    need_root("processes of other users")
    daemon = Daemon(daemon={"cgroup": "off"})
    daemon.config["tasks"] = {"gone": marked(daemon, SLEEP), "stays": marked(daemon, SLEEP)}
    daemon.write_config(json.dumps(daemon.config))
    with daemon:
        stays = daemon.status("stays")["pid"]
        # For a moment after its exec a process shows none.
        forged = {**eventually(lambda: processes.environment(stays), what="it is executed"),
                  "VIGIL_TASK": "stays", "VIGIL_INVOCATION": "0" * 32, "VIGIL_GENERATION": "9"}
        kill(daemon)
        for name in ("state", "specs"):
            os.remove(os.path.join(daemon.runtime_dir, name))
        del daemon.config["tasks"]["gone"]
        daemon.write_config(json.dumps(daemon.config))
        stranger = subprocess.Popen(["/bin/sleep", "1000"], env=forged, user=54321, start_new_session=True)
        try:
            daemon.start()
            equal(daemon.status("stays")["pid"], stays, "the task that is known")
            equal([task["name"] for task in daemon.rpc("task.status")["tasks"]], ["stays"], "tasks")
            equal(copies(daemon, "gone"), [], "the task that nobody knows")
            assert stranger.poll() is None, "the stranger was ended"
            contains(daemon.log, "gone: ended and given up", f"process {stranger.pid} (sleep) says that it is a run of stays")
        finally:
            stranger.kill()
            stranger.wait()


if __name__ == "__main__":
    main()
