"""Some of the points of `make faults`, at a fixed distance from one another, and what fails for a while."""
import errno
import os

import cases
from cases import Skip, case, contains, eventually, main
from fault_injection import Fault, Faulty
from fault_scenarios import KEPT_UP, states
from faults import REFUSED_TO_START, Living, points, try_end, try_start
from harness import run


def need_tracing():
    if cases.PATIENCE != 1.0:
        raise Skip("a leak sanitizer does not work in a process that is traced")
    trial = run([os.path.join(cases.BUILD, "tests/tools/vigil_fail_at"), "/dev/null", "/dev/null", "/bin/true"])
    if trial.code != 0:
        raise Skip(f"no process may be traced here: {trial.err.strip()}")


def sample(stride, *names):
    need_tracing()
    for name in names:
        with Living(name) as living:
            for fault in points(living.counts, stride, stride // 2):
                try:
                    living.step([fault])
                except AssertionError as error:
                    raise AssertionError(f"{name}, {fault}: {error}") from None


@case(timeout=120)
def any_system_call_of_an_order_may_fail_and_the_order_is_done_or_refused_and_no_task_is_lost():
    sample(23, "start", "stop", "restart", "crash")


@case(timeout=120)
def any_system_call_of_a_change_of_the_tasks_may_fail_and_the_change_is_made_or_refused_whole():
    sample(29, "add", "persist", "remove", "reload")


@case(timeout=120)
def any_system_call_may_fail_while_output_is_moved_while_clients_are_answered_and_while_tasks_beat():
    sample(31, "printing", "answering", "beating")


@case(timeout=120)
def any_system_call_of_the_start_may_fail_and_vigild_runs_or_refuses_with_a_clear_message_and_leaves_nothing():
    need_tracing()
    counts = try_start(None)[1]
    for fault in points(counts, 149, 20):
        try_start(fault)


@case(timeout=120)
def any_system_call_of_the_end_may_fail_and_nothing_is_left():
    need_tracing()
    counts = try_end(None)[1]
    for fault in points(counts, 67, 20):
        try_end(fault)


@case(timeout=60)
def a_start_without_descriptors_or_threads_for_the_loop_is_a_refusal_that_says_so():
    need_tracing()
    for fault in (Fault("eventfd2", errno.EMFILE), Fault("epoll_create1", errno.ENFILE, 2), Fault("epoll_ctl@add", errno.ENOMEM, 2)):
        outcome = try_start(fault)[0]
        cases.equal(outcome.what, REFUSED_TO_START, str(fault))


@case(timeout=120)
def whatever_a_start_cannot_watch_is_a_refusal_that_ends_in_order():
    need_tracing()
    counts = try_start(None)[1]
    for number in range(1, counts["epoll_ctl@add"] + 1):
        try_start(Fault("epoll_ctl@add", errno.ENOSPC, number))


@case(timeout=60)
def nasty_72_while_no_client_can_be_watched_it_waits_and_is_served_once_there_is_room():
    need_tracing()
    with Faulty({"a": KEPT_UP}) as daemon:
        daemon.disarm()
        daemon.arm([Fault("epoll_ctl@add", errno.ENOSPC, 1, 0)])
        with daemon.client() as client:
            client.request("daemon.hello")
            eventually(lambda: "watching a descriptor" in daemon.log, what="it is said in the log")
            daemon.disarm()
            assert client.line()["result"]["name"] == "vigild"


@case(timeout=60)
def nasty_53_a_disk_that_is_full_for_a_while_drops_what_is_printed_and_counts_it_and_recovers():
    need_tracing()
    with Living("printing") as living:
        daemon, scenario = living.daemon, living.scenario
        full = [Fault("splice,pwrite64@file,write@file,ftruncate,fallocate", errno.ENOSPC, 1, 0)]
        daemon.arm(full)
        with daemon.client() as client:
            scenario.order(daemon, client)
            assert scenario.dropped(client) > 0
            daemon.disarm()
            eventually(lambda: "bytes were lost" in daemon.log, what="the log says what was lost")
        contains(daemon.log, "No space left on device")
        living.step([])


@case(timeout=60)
def nasty_8_without_descriptors_or_processes_for_a_while_starts_wait_and_are_made_once_there_are_some():
    need_tracing()
    storms = {"descriptors": [Fault("socket,openat,pidfd_open,pipe2,accept4", errno.EMFILE, 1, 0)],
              "processes": [Fault("clone3,clone,fork,vfork", errno.EAGAIN, 1, 0)]}
    for what, faults in storms.items():
        with Faulty({"a": KEPT_UP, "b": KEPT_UP}) as daemon:
            daemon.disarm()
            before = states(daemon)
            with daemon.client() as client:
                client.call("daemon.hello")
                daemon.arm(faults)
                os.kill(before["a"]["pid"], 9)
                eventually(lambda: client.call("task.status", {"name": "a"})["tasks"][0]["pid"] is None, what="a has ended")
                eventually(lambda: "a: failed: start failed" in daemon.log or "a: healthy" in daemon.log.split("a: failed")[-1],
                           what=f"without {what} it cannot be started")
                daemon.disarm()
            after = daemon.started_again("a", before["a"]["generation"])
            cases.equal(after["restart_attempts"] <= 1, True, "attempts beyond the crash itself")
            cases.equal(daemon.status("b")["pid"], before["b"]["pid"], "the pid of the other task")


if __name__ == "__main__":
    main()
