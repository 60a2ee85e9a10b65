"""One daemon a runtime directory, and what may be in its way there."""
import json
import os
import resource
import signal
import socket
import stat

from cases import always, case, contains, equal, eventually, main, need_root
from harness import SLEEP, Daemon


def inodes(directory):
    return {name: os.stat(os.path.join(directory, name)).st_ino for name in os.listdir(directory)}


@case()
def nasty_68_a_second_daemon_is_refused_and_the_first_is_untouched():
    with Daemon({"a": SLEEP}) as first:
        before = inodes(first.runtime_dir)
        second = Daemon({"b": SLEEP}, runtime_dir=first.runtime_dir, wait=False)
        try:
            second.start()
            equal(second.wait(), 1, "exit code of the second")
            contains(second.log, first.runtime_dir, str(first.pid))
        finally:
            second._clean_up(failed=False)
        equal(inodes(first.runtime_dir), before, "the files of the first")
        equal(first.status("a")["generation"], 1, "its task")


@case()
def nasty_69_a_stale_socket_is_replaced():
    daemon = Daemon({"a": SLEEP})
    os.mkdir(daemon.runtime_dir, 0o711)
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stale.bind(daemon.socket)
    stale.close()
    with daemon:
        equal(daemon.status("a")["status"], "healthy", "it serves")


@case()
def nasty_69_a_file_a_directory_or_a_link_in_place_of_the_socket_is_refused_and_kept():
    for make in (lambda path: open(path, "w").close(), os.mkdir, lambda path: os.symlink("/nowhere", path)):
        daemon = Daemon({"a": SLEEP}, wait=False)
        try:
            os.mkdir(daemon.runtime_dir, 0o711)
            make(daemon.socket)
            before = os.lstat(daemon.socket)
            daemon.start()
            equal(daemon.wait(), 1, "exit code")
            contains(daemon.log, daemon.socket)
            equal(os.lstat(daemon.socket).st_ino, before.st_ino, "what was there")
        finally:
            daemon._clean_up(failed=False)


@case()
def nasty_70_a_path_too_long_for_a_socket_is_a_clear_error():
    daemon = Daemon({"a": SLEEP}, wait=False)
    try:
        long = os.path.join(daemon.directory, "x" * 100)
        daemon.config["daemon"]["runtime_dir"] = long
        daemon.write_config(json.dumps(daemon.config))
        daemon.start()
        assert daemon.wait() in (1, 78), daemon.process.returncode
        contains(daemon.log, "107")
    finally:
        daemon._clean_up(failed=False)


@case()
def nasty_70_a_runtime_directory_of_somebody_else_is_refused():
    need_root()
    daemon = Daemon({"a": SLEEP}, wait=False)
    try:
        os.mkdir(daemon.runtime_dir)
        os.chown(daemon.runtime_dir, 65534, 65534)
        daemon.start()
        equal(daemon.wait(), 1, "exit code")
        contains(daemon.log, daemon.runtime_dir)
    finally:
        daemon._clean_up(failed=False)


@case()
def nasty_71_a_control_socket_that_was_deleted_is_made_anew_at_sighup():
    with Daemon({"a": SLEEP}) as daemon:
        with daemon.client() as connected:
            os.unlink(daemon.socket)
            daemon.send_signal(signal.SIGHUP)
            eventually(daemon._answers, what="vigild answers at its socket again")
            equal(stat.S_IMODE(os.stat(daemon.socket).st_mode), 0o660, "the rights of the new one")
            equal(len(connected.call("task.status")["tasks"]), 1, "who was connected is still served")
        equal(daemon.status("a")["generation"], 1, "the task")
        contains(daemon.log, daemon.socket)


@case()
def nasty_72_without_descriptors_idle_clients_make_room_and_starts_are_tried_again():
    with Daemon({"a": {**SLEEP, "restart": {"base_delay": "50ms", "jitter": 0, "max_attempts": 1}}}) as daemon:
        before = daemon.reaches("a", "healthy")
        soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        # As many as it has, and as many more as clients can take.
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (daemon.descriptors() + 20, hard))
        idle = [daemon.client() for _ in range(40)]
        for _ in range(5):
            equal(daemon.status("a")["status"], "healthy", "who asks is served")
        assert daemon.rpc("daemon.status")["dropped"]["clients_dropped"] > 0, "none had to go"
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (5, hard))
        os.kill(before["pid"], signal.SIGKILL)
        eventually(lambda: "Too many open files" in daemon.log, what="the start that failed is in the log")
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (soft, hard))
        after = daemon.started_again("a", 1)
        equal(after["restart_attempts"], 1, "attempts: the exit is one, and the starts that failed are none")
        for client in idle:
            client.close()


@case()
def the_runtime_directory_lets_others_reach_their_sockets_and_nothing_else():
    with Daemon({"a": SLEEP}) as daemon:
        equal(stat.S_IMODE(os.stat(daemon.runtime_dir).st_mode), 0o711, "the directory")
        equal(stat.S_IMODE(os.stat(daemon.socket).st_mode), 0o660, "the control socket")
        for name in os.listdir(daemon.runtime_dir):
            if name not in ("notify", "control.sock"):
                equal(stat.S_IMODE(os.stat(os.path.join(daemon.runtime_dir, name)).st_mode) & 0o077, 0, name)


@case()
def what_vigild_tells_the_supervisor_above_it():
    daemon = Daemon({"a": SLEEP}, wait=False)
    above = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    above.bind(daemon.path("above"))
    above.settimeout(20)
    daemon._env.update({"NOTIFY_SOCKET": daemon.path("above"), "WATCHDOG_USEC": "900000"})
    daemon._wait = True
    with daemon:
        said = []

        def hears(part):
            while not any(part in line for line in said):
                said.append(above.recv(4096).decode())
        hears("READY=1")
        for _ in range(3):
            said = [line for line in said if "WATCHDOG=1" not in line]
            hears("WATCHDOG=1")
        os.kill(daemon.pid, signal.SIGSTOP)
        os.kill(daemon.pid, signal.SIGCONT)
        always(lambda: daemon.process.poll() is None, 0.2, "vigild runs")
        daemon.stop()
        hears("STOPPING=1")
        assert not any(part in "".join(said) for part in ("ERRNO", "BUSERROR")), said
    above.close()


if __name__ == "__main__":
    main()
