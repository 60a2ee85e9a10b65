"""vigild as PID 1 of a PID name space, as in a container."""
import signal
import time

import processes
from cases import Skip, case, equal, eventually, main, need_program, need_root, now
from harness import SLEEP, Daemon, run, shell


def container():
    need_root("a PID name space")
    need_program("unshare")
    if run(["unshare", "--pid", "--fork", "--mount-proc", "true"]).code != 0:
        raise Skip("this machine lets nobody make a PID name space")
    return ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


@case()
def nasty_87_as_pid_1_it_reaps_every_orphan():
    forks = shell("for i in 1 2 3 4 5 6 7 8 9 10; do (setsid sleep 0.$i &); done; exec sleep 1000")
    with Daemon({"forks": {"command": forks}}, wrap=container()) as daemon:
        eventually(lambda: len(daemon.task_processes()) > 3, what="the first orphans are its children")
        equal(processes.status_field(daemon.pid, "NSpid")[-1], "1", "it is PID 1")
        eventually(lambda: len(daemon.task_processes()) == 1, what="only the task itself is left")
        equal(daemon.status("forks")["generation"], 1, "generation")


@case()
def nasty_87_as_pid_1_it_obeys_sigterm_and_sigint_which_the_kernel_would_ignore():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Daemon({"a": SLEEP, "stubborn": {"command": shell("trap '' TERM; while :; do sleep 0.1; done"),
                                              "stop": {"timeout": "300ms"}}}, wrap=container()) as daemon:
            time.sleep(0.3)
            begin = now()
            daemon.stop(number)
            assert now() - begin < 20


@case()
def nasty_87_as_pid_1_it_takes_with_it_what_left_its_session():
    escapes = shell("setsid setsid sleep 1000 & setsid sh -c 'sleep 1000 & wait' & exec sleep 1000")
    with Daemon({"tree": {"command": escapes}}, wrap=container()) as daemon:
        eventually(lambda: len(daemon.task_processes()) >= 4, what="the tree stands")
        daemon.stop()  # with PID 1 the kernel ends the name space; that nothing is left is asked at the end


if __name__ == "__main__":
    main()
