"""The restart rules of a real daemon with real processes: delays, attempts, and what cancels a restart."""
import os
import signal
import time

from cases import always, case, contains, equal, eventually, main, now
from harness import SLEEP, Daemon, failing, shell


@case()
def delays_double_five_times_and_the_sixth_failure_makes_the_task_dead():
    with Daemon({"crash": {**failing(3, base_delay="60ms"), "autostart": False}}) as daemon:
        with daemon.client() as client:
            client.call("events.subscribe", {"name": "crash"})
            begin = now()
            daemon.rpc("task.start", {"name": "crash", "wait": False})
            events = client.events(lambda event: event["to"] == "dead")
            took = now() - begin
        failures = [event for event in events if event["to"] == "failed"]
        equal([event["next_start_in_ms"] for event in failures], [60, 120, 240, 480, 960], "the delays")
        equal([event["restart_attempts"] for event in failures], [1, 2, 3, 4, 5], "the attempts")
        assert took > 1.86, f"five delays of 1860 ms together took {took:.3f} s"
        status = daemon.status("crash")
        equal(status["cause"]["kind"], "attempts-exhausted", "cause")
        equal(status["cause"]["last"]["kind"], "exit-code", "the last failure")
        equal(status["cause"]["last"]["code"], 3, "its code")
        equal((status["restarts_total"], status["generation"], status["pid"]), (5, 6, None), "totals")
        contains(daemon.ctl("status").out, "crash", "dead")


@case()
def an_operators_start_gives_a_dead_task_all_its_attempts_back():
    with Daemon({"crash": failing(base_delay="0s", max_attempts=2)}) as daemon:
        daemon.reaches("crash", "dead")
        daemon.rpc("task.start", {"name": "crash", "wait": False})
        status = eventually(lambda: (found := daemon.status("crash"))["generation"] == 6 and found,
                            what="three more runs")
        eventually(lambda: daemon.status("crash")["status"] == "dead", what="dead again")
        equal(status["max_restart_attempts"], 2, "max_restart_attempts")


@case()
def no_attempts_at_all_make_the_first_failure_final():
    with Daemon({"once": failing(7, max_attempts=0)}) as daemon:
        status = daemon.reaches("once", "dead")
        equal((status["generation"], status["cause"]["last"]["code"]), (1, 7), "one run")


@case()
def a_task_that_stayed_healthy_for_stable_after_has_its_attempts_back():
    with Daemon() as daemon:
        # Fails twice, then stays.
        count = daemon.path("count")
        daemon.rpc("task.add", {"name": "flaky", "wait": False, "spec": {
            "command": shell(f"echo x >> {count}; [ $(wc -l < {count}) -gt 2 ] && exec sleep 1000; exit 1"),
            "restart": {"base_delay": "50ms", "jitter": 0, "stable_after": "700ms"}}})
        healthy = eventually(lambda: (found := daemon.status("flaky"))["generation"] == 3
                             and found["status"] == "healthy" and found, what="the third run")
        equal(healthy["restart_attempts"], 2, "attempts so far")
        equal(eventually(lambda: (found := daemon.status("flaky"))["restart_attempts"] == 0 and found,
                         what="attempts are 0")["generation"], 3, "without another run")


@case()
def nasty_32_a_kill_during_the_delay_leaves_the_task_dead():
    with Daemon({"crash": failing(base_delay="300ms")}) as daemon:
        daemon.reaches("crash", "failed")
        equal(daemon.ctl("kill", "crash").code, 0, "kill")
        status = daemon.status("crash")
        equal([status["status"], status["cause"]["kind"], status["next_start_in_ms"]],
              ["dead", "operator", None], "killed")
        generation = status["generation"]
        always(lambda: daemon.status("crash")["generation"] == generation, 1.0, "no run after the kill")
        equal(daemon.status("crash")["status"], "dead", "status")


@case()
def nasty_30_a_stop_during_the_delay_leaves_the_task_stopped():
    with Daemon({"crash": failing(base_delay="300ms")}) as daemon:
        generation = daemon.reaches("crash", "failed")["generation"]
        equal(daemon.ctl("stop", "crash").code, 0, "stop")
        always(lambda: daemon.status("crash")["status"] == "stopped", 1.0, "stopped")
        equal(daemon.status("crash")["generation"], generation, "generation")
        equal(daemon.ctl("stop", "crash").code, 0, "a second stop is done already")


@case()
def nasty_31_a_restart_during_the_delay_starts_the_task_once():
    with Daemon() as daemon:
        first = daemon.path("first")
        daemon.rpc("task.add", {"name": "crash", "wait": False, "spec": {
            "command": shell(f"[ -e {first} ] && exec sleep 1000; touch {first}; exit 1"),
            "restart": {"base_delay": "1s", "jitter": 0}}})
        generation = daemon.reaches("crash", "failed")["generation"]
        with daemon.client() as client:
            for _ in range(3):
                client.request("task.restart", {"name": "crash"})
            eventually(lambda: daemon.status("crash")["status"] == "healthy", what="healthy")
        status = daemon.status("crash")
        always(lambda: daemon.status("crash")["generation"] == status["generation"], 1.3,
               "no further run when the delay would have ended")
        assert status["generation"] <= generation + 3, status
        equal(status["restart_attempts"], 0, "an operator's restart spends no attempt")


@case()
def nasty_31_two_restarts_at_once_make_one_new_run():
    with Daemon({"slow": {"command": shell("trap 'sleep 0.4; exit 0' TERM; while :; do sleep 0.05; done"),
                          "restart": {"base_delay": "50ms"}}}) as daemon:
        generation = daemon.reaches("slow", "healthy")["generation"]
        with daemon.client() as client:
            ids = {client.request("task.restart", {"name": "slow"}) for _ in range(2)}
            answers = [client.line(), client.line()]
        equal({answer["id"] for answer in answers}, ids, "both are answered")
        assert all("result" in answer for answer in answers), answers
        always(lambda: daemon.status("slow")["generation"] == generation + 1, 0.5, "one new run")


@case()
def policies_say_which_ends_are_followed_by_a_restart():
    tasks = {"good": {"command": shell("exit 0")},
             "also-good": {"command": shell("exit 9"), "restart": {"success_exit_codes": [0, 9]}},
             "never": {**failing(4), "restart": {"policy": "never"}},
             "always": {"command": shell("exit 0"),
                        "restart": {"policy": "always", "base_delay": "10ms", "jitter": 0, "max_attempts": 3}}}
    with Daemon(tasks) as daemon:
        equal(daemon.reaches("good", "completed")["generation"], 1, "good")
        equal(daemon.reaches("also-good", "completed")["generation"], 1, "also-good")
        never = daemon.reaches("never", "dead")
        equal((never["generation"], never["cause"]["kind"], never["cause"]["code"]), (1, "exit-code", 4), "never")
        equal(daemon.reaches("always", "dead")["generation"], 4, "always: any end counts as an attempt")


@case()
def keep_trying_stays_at_the_longest_delay():
    with Daemon({"crash": failing(base_delay="20ms", max_backoff_exponent=1, max_attempts=2,
                                  when_exhausted="keep-trying")}) as daemon:
        eventually(lambda: daemon.status("crash")["generation"] >= 6, what="six runs")
        with daemon.client() as client:
            client.call("events.subscribe", {"name": "crash"})
            failed = client.events(lambda event: event["to"] == "failed")[-1]
        equal(failed["next_start_in_ms"], 40, "the longest delay")
        daemon.ctl("stop", "crash")


@case()
def nasty_15_and_16_a_code_and_a_signal_are_reported_apart():
    with Daemon({"killed": SLEEP, "code": {"command": shell("exit 137"), "restart": {"policy": "never"}}}) as daemon:
        os.kill(daemon.reaches("killed", "healthy")["pid"], signal.SIGSEGV)
        exit_ = eventually(lambda: daemon.status("killed")["last_exit"], what="its end is known")
        equal((exit_["kind"], exit_["signal"], exit_["code"]), ("signal", "SEGV", None), "killed")
        exit_ = daemon.reaches("code", "dead")["last_exit"]
        equal((exit_["kind"], exit_["code"], exit_["signal"]), ("code", 137, None), "137 is a code")


@case()
def vigild_gives_up_with_70_when_too_many_tasks_are_dead():
    tasks = {"good": SLEEP, "bad": failing(max_attempts=1, base_delay="50ms"), "killed": SLEEP}
    with Daemon(tasks, daemon={"max_dead_fraction": 0.3}, ends_with=70) as daemon:
        equal(daemon.wait(), 70, "exit code")
        contains(daemon.log, "max_dead_fraction")


@case()
def tasks_that_an_operator_killed_do_not_count_as_dead():
    with Daemon({"a": SLEEP, "b": SLEEP}, daemon={"max_dead_fraction": 0.3}) as daemon:
        equal(daemon.ctl("kill", "*").code, 0, "kill")
        time.sleep(0.3)
        equal(daemon.process.poll(), None, "vigild goes on")


if __name__ == "__main__":
    main()
