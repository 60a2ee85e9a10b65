"""daemon.orphan_policy: kill. No run of a vigild that was killed goes on."""
import cases
import processes
from cases import case, contains, equal, eventually, main
from harness import SLEEP, Daemon, failing, run, shell
from killed import kill
from kinds import daemon_of

# A tree of which one process has left group, session and parent.
ESCAPES = {"command": shell("setsid sh -c 'sleep 1000 & exec sleep 1001' & sleep 1000 & exec sleep 1000")}


def complete(daemon):
    return eventually(lambda: len(found := [pid for pid in daemon.task_processes() if processes.alive(pid)]) == 6 and found,
                      what="both trees are complete")


TASKS = {"runs": SLEEP, "tree": ESCAPES, "stopped": SLEEP, "dead": {**failing(), "restart": {"policy": "never"}},
         "waits": {**failing(), "restart": {"base_delay": "300s"}}}


def afresh(daemon):
    """One life of a policy: what ran is ended and started anew, what did not run stays as it was."""
    daemon.reaches("dead", "dead")
    daemon.reaches("waits", "failed")
    equal(daemon.ctl("stop", "stopped").code, 0, "stop")
    equal(daemon.ctl("add", "added", "--", "/bin/sleep", "1000").code, 0, "add")
    before = complete(daemon)
    kill(daemon)
    daemon.start()
    left = [pid for pid in before if processes.alive(pid)]
    assert not left, processes.describe(left)
    tasks = {task["name"]: task for task in daemon.rpc("task.status")["tasks"]}
    equal({name: (task["status"], task["generation"]) for name, task in tasks.items()},
          {"runs": ("healthy", 2), "tree": ("healthy", 2), "added": ("healthy", 2), "stopped": ("stopped", 1),
           "dead": ("dead", 1), "waits": ("failed", 1)}, "tasks")
    equal(tasks["waits"]["restart_attempts"], 1, "attempts")
    contains(daemon.log, "ended 3 tasks that a daemon before this one had left running, as daemon.orphan_policy says")
    complete(daemon)


@case()
def what_a_killed_daemon_left_is_ended_whole_and_started_afresh_without_cgroups():
    with Daemon(TASKS, daemon={"cgroup": "off", "orphan_policy": "kill"}) as daemon:
        afresh(daemon)


@case()
def what_a_killed_daemon_left_is_ended_whole_and_started_afresh_with_cgroups():
    with daemon_of("root with a cgroup", TASKS, daemon={"orphan_policy": "kill"}) as daemon:
        afresh(daemon)


@case()
def a_clean_up_after_a_crash_ends_the_processes_and_leaves_what_is_known_of_the_tasks_to_the_next_daemon():
    with Daemon({"a": SLEEP, "tree": ESCAPES, "stopped": SLEEP}, daemon={"cgroup": "off", "orphan_policy": "kill"}) as daemon:
        equal(daemon.ctl("stop", "stopped").code, 0, "stop")
        equal(daemon.ctl("add", "added", "--", "/bin/sleep", "1000").code, 0, "add")
        before = complete(daemon)
        kill(daemon)
        done = run([cases.VIGILD, "-c", daemon.config_path, "--cleanup"], env={"SERVICE_RESULT": "signal"})
        equal(done.code, 0, f"exit code: {done}")
        contains(done.err, "ended 3 tasks")
        left = [pid for pid in before if processes.alive(pid)]
        assert not left, processes.describe(left)
        daemon.start()
        equal({task["name"]: (task["status"], task["generation"]) for task in daemon.rpc("task.status")["tasks"]},
              {"a": ("healthy", 2), "tree": ("healthy", 2), "added": ("healthy", 2), "stopped": ("stopped", 1)}, "tasks")


if __name__ == "__main__":
    main()
