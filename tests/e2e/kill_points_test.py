"""A few of the kill points of `make kill-points`, at a fixed distance from one another."""
import os

import cases
from cases import Skip, case, main
from harness import run
from kill_points import Point, try_point

# How many calls lie between two points: three to five a scenario, the last of them beyond its end.
STRIDES = {"boot": 241, "take-over": 173, "start": 19, "stop": 23, "restart": 37, "add": 23, "remove": 29, "reload": 89, "upgrade": 171,
           "crash": 23, "shutdown": 47}


def sample(*names):
    if cases.PATIENCE != 1.0:
        raise Skip("a leak sanitizer does not work in a process that is traced")
    tool = os.path.join(cases.BUILD, "tests/tools/vigil_kill_at")
    trial = run([tool, "/dev/null", "0", "/bin/true"])
    if trial.code != 0:
        raise Skip(f"no process may be traced here: {trial.err.strip()}")
    for name in names:
        call, at_exit, reached = 1, False, True
        while reached:
            call, at_exit = call + STRIDES[name], not at_exit
            reached = try_point(name, Point(call, at_exit))[0]


@case(timeout=180)
def nasty_73_killed_at_any_system_call_of_its_start_or_its_end_the_next_vigild_has_each_task_once():
    sample("boot", "take-over", "shutdown")


@case(timeout=180)
def nasty_73_killed_at_any_system_call_of_an_order_the_next_vigild_does_what_was_answered_and_has_each_task_once():
    sample("start", "stop", "restart", "crash")


@case(timeout=180)
def nasty_73_killed_at_any_system_call_of_a_change_of_the_tasks_the_next_vigild_has_all_that_were_promised_once():
    sample("add", "remove", "reload")


@case(timeout=180)
def nasty_73_killed_at_any_system_call_of_an_upgrade_the_next_vigild_has_each_task_as_it_was():
    sample("upgrade")


if __name__ == "__main__":
    main()
