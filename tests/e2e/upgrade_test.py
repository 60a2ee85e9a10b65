"""vigilctl upgrade: the daemon goes on as another program, and nobody notices."""
import json
import os
import shutil
import signal
import stat
import threading
import time

import cases
import processes
from cases import case, contains, equal, eventually, main
from harness import SLEEP, Daemon, beater, failing, run, shell
from killed import kill_and_start, with_one_that_left


def own_version():
    return run([cases.VIGILD, "--version"]).out.split()[1]


def states(daemon):
    return {task["name"]: (task["status"], task["pid"], task["generation"], task["restart_attempts"])
            for task in daemon.rpc("task.status")["tasks"]}


def script(daemon, name, text):
    path = daemon.path(name)
    with open(path, "w") as file:
        file.write("#!/bin/sh\n" + text + "\n")
    os.chmod(path, 0o755)
    return path


def of_version(daemon, version):
    """A vigild that says it is of this version, and is otherwise the one that is tested."""
    assert len(version) == len(own_version())
    with open(cases.VIGILD, "rb") as file:
        image = file.read()
    path = daemon.path("vigild-" + version)
    with open(path, "wb") as file:
        file.write(image.replace(own_version().encode() + b"\0", version.encode() + b"\0"))
    os.chmod(path, 0o755)
    # It looks for the keeper beside itself.
    return path


def refused(daemon, program, *reason):
    """The upgrade does not come to it, and the old one goes on as before."""
    before = states(daemon)
    answer = daemon.ctl("upgrade", *([program] if program else []))
    equal(answer.code, 1, str(answer))
    contains(answer.err, f"vigild {own_version()} goes on", *reason)
    equal(states(daemon), before, "states")
    equal(daemon.ctl("restart", "runs").code, 0, "it obeys")


@case()
def the_daemon_goes_on_as_another_program_with_its_pid_its_tasks_and_its_children():
    with Daemon({"runs": SLEEP, "beats": beater(), "stopped": SLEEP, "idle": {**SLEEP, "autostart": False},
                 "dead": {**failing(), "restart": {"policy": "never"}},
                 "waits": {**failing(), "restart": {"base_delay": "300s"}}}) as daemon:
        for name, state in (("dead", "dead"), ("waits", "failed"), ("beats", "healthy")):
            daemon.reaches(name, state)
        equal(daemon.ctl("stop", "stopped").code, 0, "stop")
        equal(daemon.ctl("add", "added", "--", "/bin/sleep", "1000").code, 0, "add")
        before, pid = states(daemon), daemon.pid
        children = processes.descendants(pid)
        answer = daemon.ctl("upgrade", "--json")
        equal(answer.code, 0, str(answer))
        equal(answer.json, {"from": own_version(), "to": own_version(), "program": os.path.realpath(cases.VIGILD)}, "answer")
        equal(daemon.pid, pid, "the daemon's pid")
        contains(processes.command_line(pid), "--take-over")
        equal(states(daemon), before, "states")
        equal(set(processes.descendants(pid)), set(children), "its children")
        # They are its own children still, so it is told how one ends.
        os.kill(before["runs"][1], signal.SIGSEGV)
        after = daemon.started_again("runs", 1)
        equal((after["last_exit"]["kind"], after["last_exit"]["signal"]), ("signal", "SEGV"), "how it ended")
        equal(daemon.status("beats")["generation"], 1, "no false verdict")
        # Once more, from what came of an upgrade.
        equal(daemon.ctl("upgrade").code, 0, "again")
        equal(daemon.status("runs")["pid"], after["pid"], "the same run")
        equal(processes.command_line(pid).count("--take-over"), 1, "one hand-over in the command line")


@case()
def an_upgrade_to_another_version_and_back_again():
    with Daemon({"runs": SLEEP}) as daemon:
        before = states(daemon)
        later = of_version(daemon, "9.9.9")
        answer = daemon.ctl("upgrade", later)
        equal(answer.code, 0, str(answer))
        equal(answer.out, f"vigild {own_version()} goes on as 9.9.9, {later}\n", "answer")
        equal(daemon.rpc("daemon.status")["version"], "9.9.9", "version")
        contains(daemon.log, f"vigild {own_version()} goes on as 9.9.9", "goes on with 1 tasks, 1 running")
        equal(states(daemon), before, "states")
        answer = daemon.ctl("upgrade", cases.VIGILD)
        equal(answer.code, 0, str(answer))
        equal(daemon.rpc("daemon.status")["version"], own_version(), "version")
        equal(states(daemon), before, "states")


@case(timeout=120)
def nasty_75_a_program_that_is_missing_crashes_or_says_nothing_is_refused_and_the_old_one_goes_on():
    with Daemon({"runs": SLEEP}) as daemon:
        refused(daemon, "/nowhere/vigild", "/nowhere/vigild", "No such file or directory")
        refused(daemon, daemon.config_path, "Permission denied")
        refused(daemon, "/bin/true", "said nothing: is it a vigild?")
        refused(daemon, script(daemon, "crashes", "kill -SEGV $$"), "said nothing")
        refused(daemon, script(daemon, "older", "echo 'vigild: unknown option --prove-handover' >&2; exit 2"),
                "cannot go on", "unknown option")
        garbage = daemon.path("garbage")
        with open(garbage, "wb") as file:
            file.write(os.urandom(1000))
        os.chmod(garbage, 0o755)
        refused(daemon, garbage, "garbage")
        contains(daemon.ctl("upgrade", "/a", "/b").err, "vigilctl upgrade --help")
        # One that has proven itself and cannot be executed after all: the upgrade is taken back.
        vanishes = script(daemon, "vanishes", f'rm "$0"; exec {cases.VIGILD} "$@"')
        refused(daemon, vanishes, "going on as", "No such file or directory")


@case()
def nasty_75_a_state_that_the_program_cannot_read_is_said_and_the_old_one_goes_on():
    with Daemon({"runs": SLEEP}) as daemon:
        table = os.path.join(daemon.runtime_dir, "state")
        with open(table, "r+b") as file:
            header = file.read(64)
            # As a later version has it, whose table this one must not read: see the state table's layout.
            file.seek(12)
            file.write(b"\x07\0\0\0")
            file.flush()
            refused(daemon, None, "of format version 7")
            file.seek(0)
            file.write(header)
        specs = os.path.join(daemon.runtime_dir, "specs")
        with open(specs, "r+b") as file:
            first = file.read(1)
            file.seek(0)
            file.write(b"x")
            file.flush()
            refused(daemon, None, "specs", "no spec store of this version")
            file.seek(0)
            file.write(first)
        text = json.dumps({**daemon.config, "tasks": {"runs": {"command": 5}}})
        whole = json.dumps(daemon.config)
        daemon.write_config(text)
        refused(daemon, None, "tasks.runs.command")
        moved = {**daemon.config, "daemon": {**daemon.config["daemon"], "runtime_dir": daemon.path("elsewhere")}}
        daemon.write_config(json.dumps(moved))
        refused(daemon, None, "that needs a stop and a start")
        daemon.write_config(whole)
        equal(daemon.ctl("upgrade").code, 0, "and when all is well again it goes on")


@case()
def nasty_76_starts_stops_and_backoffs_go_on_and_every_client_gets_its_answer():
    slow = {"command": shell("trap 'sleep 1.5; exit 0' TERM; echo set; while :; do sleep 0.05; done")}
    with Daemon({"stops": slow, "waits": {**failing(), "restart": {"base_delay": "1500ms", "jitter": 0}},
                 "starts": {"command": shell('sleep 1.5; exec python3 -c "'
                                             "import os, socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
                                             "s.connect(os.environ['NOTIFY_SOCKET']); s.send(b'READY=1'); time.sleep(1000)"
                                             '"'),
                            "ready": {"on": "notify"}, "autostart": False}}) as daemon:
        eventually(lambda: "set" in daemon.ctl("logs", "stops").out, what="the trap is set")
        daemon.reaches("waits", "failed")
        answers = {}

        def ask(name, *arguments):
            answers[name] = daemon.ctl(*arguments, "--json")
        threads = [threading.Thread(target=ask, args=arguments) for arguments in (
            ("start", "start", "starts"), ("stop", "stop", "stops"), ("wait", "wait", "waits", "--for=exit"),
            ("late", "wait", "starts", "--for=stopped", "--timeout", "2s"))]
        with daemon.client() as listener, daemon.client() as piece:
            listener.call("events.subscribe")
            # Half a request now, the rest afterwards.
            piece.send(b'{"jsonrpc":"2.0","id":7,"meth')
            # The start first: whoever waits for its stop before it has begun has waited for nothing.
            for thread in threads:
                thread.start()
                if thread is threads[0]:
                    daemon.reaches("starts", "starting")
            daemon.reaches("stops", "stopping")
            equal(daemon.ctl("upgrade").code, 0, "upgrade")
            piece.send(b'od":"daemon.hello"}\n')
            answer = piece.line()
            equal((answer["id"], answer["result"]["name"]), (7, "vigild"), "the request in two pieces")
            for thread in threads:
                thread.join()
            for name in ("stop", "start"):
                equal(answers[name].code, 0, f"{name}: {answers[name]}")
                equal(answers[name].json["tasks"][0]["outcome"], "done", name)
            equal(answers["late"].code, 124, f"{answers['late']}")
            equal(daemon.status("stops")["status"], "stopped", "stops")
            equal((daemon.status("starts")["status"], daemon.status("starts")["generation"]), ("healthy", 1), "starts")
            eventually(lambda: daemon.status("waits")["generation"] > 1, what="the restart that was pending")
            # Numbered on, without a gap.
            events = listener.events(lambda event: event["name"] == "starts" and event["to"] == "healthy")
            numbers = [event["seq"] for event in events]
            equal(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "numbers of events")
            equal(answers["wait"].code, 0, f"{answers['wait']}")


@case(timeout=120)
def nasty_76_many_tasks_on_their_way_in_all_directions_go_on_and_both_orders_are_answered():
    tasks = {f"run{i}": SLEEP for i in range(80)}
    tasks |= {f"back{i}": {**failing(), "restart": {"base_delay": "1s", "max_attempts": 1000}} for i in range(20)}
    tasks |= {f"stop{i}": {**SLEEP, "stop": {"command": shell("sleep 2; exit 1"), "timeout": "60s"}} for i in range(20)}
    tasks |= {f"start{i}": {**SLEEP, "autostart": False, "ready": {"on": "notify", "timeout": "2s"},
                            "restart": {"max_attempts": 0}} for i in range(20)}
    with Daemon(tasks, daemon={"max_starting": 100}) as daemon:
        def count(state):
            return daemon.rpc("daemon.status")["tasks"][state]

        eventually(lambda: count("healthy") == 100, what="everything runs")
        before = {name: state for name, state in states(daemon).items() if name.startswith("run")}
        answers = {}

        def ask(verb):
            answers[verb] = daemon.ctl(verb, verb + "*", "--json")
        threads = [threading.Thread(target=ask, args=(verb,)) for verb in ("stop", "start")]
        for thread in threads:
            thread.start()
        eventually(lambda: count("stopping") == 20 and count("starting") >= 20, what="both orders are on their way")
        equal(daemon.ctl("upgrade").code, 0, "upgrade")
        for thread in threads:
            thread.join()
        # The failure of their stop.command was seen, so that they got SIGTERM; the others never said that they are ready.
        for verb, outcome in (("stop", "done"), ("start", "failed")):
            equal([task["outcome"] for task in answers[verb].json["tasks"]], [outcome] * 20, verb)
        equal({name: state for name, state in states(daemon).items() if name.startswith("run")}, before, "the others")


@case()
def no_line_is_lost_or_doubled_and_no_writer_sees_an_error_while_the_daemon_goes_on():
    with Daemon({f"says{i}": {"command": shell("i=0; while echo line $i && i=$((i+1)); do "
                                                "[ $((i % 50)) -eq 0 ] && sleep 0.01; done; echo lost > failed")}
                 for i in range(3)}) as daemon:
        for _ in range(4):
            equal(daemon.ctl("upgrade").code, 0, "upgrade")
            time.sleep(0.05)
        equal(daemon.ctl("stop", "*").code, 0, "stop")
        assert not os.path.exists(daemon.path("failed"))
        for i in range(3):
            lines = daemon.ctl("logs", "-n", "all", f"says{i}").out.splitlines()
            equal(lines, [f"line {n}" for n in range(len(lines))], f"says{i}")
            assert len(lines) > 50, len(lines)


@case()
def signals_that_come_while_the_daemon_goes_on_are_seen_to_afterwards():
    with Daemon({"runs": SLEEP}) as daemon:
        stop = threading.Event()

        def storm():
            while not stop.is_set():
                os.kill(daemon.process.pid, signal.SIGHUP)
                time.sleep(0.001)
        thread = threading.Thread(target=storm)
        thread.start()
        try:
            done = 0
            while done < 3:
                answer = daemon.ctl("upgrade")
                # A reload may be reading the files.
                done += answer.code == 0
                if answer.code != 0:
                    contains(answer.err, "try again")
        finally:
            stop.set()
            thread.join()
        equal(daemon.status("runs")["generation"], 1, "its run")


@case()
def a_task_that_was_removed_does_not_come_back_and_a_changed_file_waits_for_the_reload():
    with Daemon({"runs": SLEEP, "gone": SLEEP}) as daemon:
        equal(daemon.ctl("remove", "gone").code, 0, "remove")
        changed = json.loads(json.dumps(daemon.config))
        changed["tasks"]["fresh"] = SLEEP
        daemon.write_config(json.dumps(changed))
        equal(daemon.ctl("upgrade").code, 0, "upgrade")
        equal(set(states(daemon)), {"runs"}, "tasks")
        assert daemon.rpc("daemon.status")["config_changed"]
        equal(daemon.ctl("reload", "-y").code, 0, "reload")
        equal(set(states(daemon)), {"runs", "gone", "fresh"}, "tasks")
        assert not daemon.rpc("daemon.status")["config_changed"]


@case()
def no_signal_of_a_stop_is_sent_twice_and_nobody_is_told_of_an_upgrade():
    counts = shell("trap 'echo asked' TERM; echo set; while :; do sleep 0.05; done")
    with Daemon({"stubborn": {"command": counts, "stop": {"timeout": "2s"}}, "runs": SLEEP}) as daemon:
        eventually(lambda: "set" in daemon.ctl("logs", "stubborn").out, what="the trap is set")
        with daemon.client() as listener:
            listener.call("events.subscribe")
            stop = threading.Thread(target=lambda: daemon.ctl("stop", "stubborn"))
            stop.start()
            daemon.reaches("stubborn", "stopping")
            equal(daemon.ctl("upgrade").code, 0, "upgrade")
            events = listener.events(lambda event: event["name"] == "stubborn" and event["to"] == "stopped")
            stop.join()
        equal([(event["name"], event["from"], event["to"]) for event in events],
              [("stubborn", "healthy", "stopping"), ("stubborn", "stopping", "stopped")], "what subscribers are told")
        equal(daemon.ctl("logs", "-n", "all", "stubborn").out.count("asked"), 1, "how often it was asked")
        equal(daemon.status("runs")["cause"], None, "why it is where it is")


@case()
def a_run_that_was_adopted_before_an_upgrade_is_ended_whole_by_a_stop_after_it():
    with with_one_that_left() as daemon:
        left = int(daemon.read("left"))
        kill_and_start(daemon)
        equal(daemon.ctl("upgrade").code, 0, "upgrade")
        assert processes.alive(left), "it was ended by the upgrade"
        equal(daemon.ctl("stop", "tree").code, 0, "stop")
        assert not processes.alive(left), processes.describe([left])


@case()
def descriptors_limits_and_rights_are_what_they_were():
    with Daemon({"runs": SLEEP}, wrap=["/bin/sh", "-c", "ulimit -Sn 1000; exec \"$@\"", "sh"]) as daemon:
        equal(daemon.ctl("upgrade").code, 0, "upgrade")
        before = daemon.descriptors()
        for _ in range(3):
            equal(daemon.ctl("upgrade").code, 0, "upgrade")
        equal(daemon.descriptors(), before, "descriptors")
        equal(daemon.ctl("restart", "runs").code, 0, "restart")
        pid = daemon.status("runs")["pid"]
        with open(f"/proc/{pid}/limits") as file:
            contains(next(line for line in file if line.startswith("Max open files")), " 1000 ")
        eventually(lambda: sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"], what="three descriptors")


@case()
def an_upgrade_needs_the_right_of_an_admin_and_is_not_done_in_a_shutdown():
    with Daemon({"runs": SLEEP, "slow": {"command": shell("trap '' TERM; echo set; while :; do sleep 0.05; done"),
                                         "stop": {"timeout": "1s"}}}) as daemon:
        eventually(lambda: "set" in daemon.ctl("logs", "slow").out, what="the trap is set")
        with daemon.client() as client:
            contains(client.refused("daemon.upgrade", {"program": "vigild"}).message, "absolute path")
        daemon.send_signal(signal.SIGTERM)
        daemon.reaches("slow", "stopping")
        contains(daemon.ctl("upgrade").err, "shutting down")
        daemon.wait()


if __name__ == "__main__":
    main()
