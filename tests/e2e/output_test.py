"""What tasks print: that it is kept, found again, and shown as it should be."""
import json
import os
import re
import signal
import subprocess

import cases
from cases import case, contains, equal, eventually, main, need_program, need_root, now
from harness import Daemon, shell, worker
from logs import log_of, text_of


def older_files(path):
    directory, name = os.path.split(path)
    return sorted(os.path.join(directory, entry) for entry in os.listdir(directory)
                  if re.fullmatch(re.escape(name) + r"\.\d{6,}(\.zst)?", entry))


def everything(path):
    """All that a log holds, the older files first. Begins anew where one was compressed between listing and reading."""
    while True:
        try:
            return read_everything(path)
        except FileNotFoundError:
            continue


def read_everything(path):
    text = b""
    for file in older_files(path):
        if file.endswith(".zst"):
            with open(file, "rb") as packed:
                text += subprocess.run([need_program("zstd"), "-dcq"], stdin=packed, check=True, capture_output=True).stdout
        else:
            with open(file, "rb") as plain:
                text += plain.read()
    return text.decode(errors="surrogateescape") + text_of(path)


def check_numbers(text, count, prefix="line"):
    """Every line of workers/lines.py is there once, whole and in order."""
    lines = [line for line in text.splitlines() if not line.startswith("[vigil:")]
    for expected, line in enumerate(lines):
        body, _, length = line.rpartition(" ")
        assert length.isdigit() and len(body) == int(length), f"a broken line after {expected}: {line!r}"
        number = int(body.split(" ")[1])
        assert body.startswith(f"{prefix} ") and number == expected, f"{number} where {expected} was due"
    equal(len(lines), count, "lines")


@case()
def both_streams_go_to_the_tasks_own_log_and_logs_shows_it():
    with Daemon({"talks": {"command": shell("echo to stdout; echo to stderr >&2; exec sleep 1000")}}) as daemon:
        path = log_of(daemon, "talks")
        eventually(lambda: text_of(path) == "to stdout\nto stderr\n", what="the log holds both")
        equal(os.stat(path).st_mode & 0o777, 0o640, "mode of the log")
        shown = daemon.ctl("logs", "talks")
        equal((shown.code, shown.out), (0, "to stdout\nto stderr\n"), "vigilctl logs")
        equal(daemon.ctl("logs", "-n", "1", "talks").out, "to stderr\n", "the last line")


@case()
def streams_that_are_apart_have_a_log_each():
    spec = {"command": shell("echo to stdout; echo to stderr >&2; exec sleep 1000"), "output": {"streams": "apart"}}
    with Daemon({"talks": spec}) as daemon:
        eventually(lambda: text_of(log_of(daemon, "talks")) == "to stdout\n", what="stdout")
        eventually(lambda: text_of(log_of(daemon, "talks.err")) == "to stderr\n", what="stderr")
        equal(daemon.ctl("logs", "--stream", "err", "talks").out, "to stderr\n", "vigilctl logs --stream err")


@case()
def formats_put_time_and_name_before_each_line():
    script = shell("echo hello; printf 'caf\\303\\251 \\001\\n'; exec sleep 1000")
    tasks = {name: {"command": script, "output": {"format": name}} for name in ("timestamp", "prefix", "json")}
    with Daemon(tasks) as daemon:
        stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
        def lines(name):
            return eventually(lambda: (found := text_of(log_of(daemon, name))).count("\n") == 2 and found, what=name).splitlines()
        assert re.fullmatch(stamp + " hello", lines("timestamp")[0]), lines("timestamp")
        pid = daemon.status("prefix")["pid"]
        assert re.fullmatch(stamp + rf" prefix\[{pid}\] out: hello", lines("prefix")[0]), lines("prefix")
        found = [json.loads(line) for line in lines("json")]
        assert re.fullmatch(stamp, found[0].pop("time")), found
        equal(found[0], {"task": "json", "pid": daemon.status("json")["pid"], "stream": "out", "text": "hello"}, "the object")
        equal(found[1]["text"], "caf\u00e9 \u0001", "text with a control character")


@case(timeout=120)
def no_line_is_lost_or_doubled_across_rotation_and_compression_and_by_following():
    count = 60_000
    spec = {"command": worker("lines.py", count, 5), "autostart": False,
            "output": {"max_size": "256KiB", "keep": 100, "compress": True}}
    with Daemon({"counts": spec}) as daemon:
        follower = subprocess.Popen([cases.VIGILCTL, "logs", "-f", "-n", "all", "counts"], text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    env={"VIGIL_SOCKET": daemon.socket, "PATH": os.environ["PATH"]})
        try:
            equal(daemon.ctl("start", "counts").code, 0, "start")
            followed = []
            for line in follower.stdout:
                followed.append(line)
                if len(followed) == count:
                    break
            check_numbers("".join(followed), count)
        finally:
            follower.send_signal(signal.SIGINT)
            follower.wait(20)
        path = log_of(daemon, "counts")
        eventually(lambda: everything(path).count("\n") == count, limit=60, what="everything is in the files")
        check_numbers(everything(path), count)
        assert len(older_files(path)) > 5, older_files(path)
        for file in older_files(path):
            if not file.endswith(".zst"):
                assert text_of(file).endswith("\n"), f"{file} was cut inside a line"
        equal(daemon.status("counts")["output"], None, "nothing is said to be lost")


@case()
def only_so_many_older_files_are_kept():
    spec = {"command": worker("lines.py", 20_000), "output": {"max_size": "64KiB", "keep": 2}}
    with Daemon({"counts": spec}) as daemon:
        path = log_of(daemon, "counts")
        eventually(lambda: text_of(path).rstrip("\n").rpartition("\n")[2].startswith("line 19999 "), what="the last line")
        eventually(lambda: len(older_files(path)) == 2, what="two older files")


@case()
def nasty_52_control_characters_and_broken_text_are_raw_in_the_file_and_escaped_on_display():
    rude = r"printf 'red \033[31m\000 \r\377 end\n'; exit 3"
    with Daemon({"rude": {"command": shell(rude), "restart": {"policy": "never"}}}) as daemon:
        path = log_of(daemon, "rude")
        raw = b"red \x1b[31m\0 \r\xff end\n"
        eventually(lambda: os.path.exists(path) and open(path, "rb").read() == raw, what="the raw bytes")
        eventually(lambda: "red" in daemon.ctl("show", "rude").out, what="the last lines in show")
        for shown in (daemon.ctl("logs", "rude").out, daemon.ctl("show", "rude").out):
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", shown), repr(shown)
            contains(shown, "end")


@case()
def the_last_lines_before_a_death_are_shown_with_it():
    script = shell("for i in $(seq 1 30); do echo step $i; done; echo 'no more memory for frobs' >&2; exit 9")
    with Daemon({"dies": {"command": script, "restart": {"policy": "never"}}}) as daemon:
        daemon.reaches("dies", "dead")
        shown = eventually(lambda: (found := daemon.ctl("show", "dies").out) and "step 30" in found and found, what="show")
        contains(shown, "frobs")
        assert "step 5\n" not in shown, shown
        lines = daemon.rpc("task.status", {"name": "dies", "details": True})["tasks"][0]["last_exit"]["lines"]
        equal(lines[-1], "no more memory for frobs", "the last line")


@case()
def a_task_of_another_user_can_open_its_dev_stdout():
    need_root("another user")
    spec = {"command": shell("echo again >/dev/stdout; echo and again >/proc/self/fd/2; exec sleep 1000"),
            "user": "nobody", "group": "nogroup"}
    with Daemon({"opens": spec}) as daemon:
        eventually(lambda: text_of(log_of(daemon, "opens")) == "again\nand again\n", what="the log")


@case()
def following_survives_a_restart_of_the_daemon():
    spec = {"ticks": {"command": shell("n=0; while :; do n=$((n+1)); echo run $VIGIL_INVOCATION $n; sleep 0.02; done")}}
    with Daemon(spec) as daemon:
        follower = subprocess.Popen([cases.VIGILCTL, "logs", "-f", "ticks"], text=True, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE,
                                    env={"VIGIL_SOCKET": daemon.socket, "PATH": os.environ["PATH"]})
        try:
            first = follower.stdout.readline().split()[1]
            daemon.stop()
            daemon.start()
            begin = now()
            while follower.stdout.readline().split()[1] == first:
                assert now() - begin < 30 * cases.PATIENCE, "nothing of the new run is followed"
        finally:
            follower.send_signal(signal.SIGINT)
            equal(follower.wait(20), 130, "exit code after SIGINT")


@case()
def output_to_the_daemons_own_and_to_nowhere():
    tasks = {"inherits": {"command": shell("echo I speak through vigild; exec sleep 1000"), "output": {"to": "inherit"}},
             "silent": {"command": shell("echo nobody hears me; exec sleep 1000"), "output": {"to": "null"}}}
    with Daemon(tasks) as daemon:
        eventually(lambda: "I speak through vigild" in daemon.log, what="the daemon's own output")
        assert "nobody hears me" not in daemon.log
        assert not os.path.exists(log_of(daemon, "silent"))
        contains(daemon.ctl("logs", "inherits").err, "inherits")


if __name__ == "__main__":
    main()
