"""A vigild of one's own for the length of a case, in a directory of its own, and what must hold at its end."""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import cases
import processes
from client import Client
from programs import HERE, PYTHON, SLEEP, beater, failing, shell, worker  # noqa: F401, for the cases

# What a broken invariant or a sanitizer writes; it must appear in no log.
ALARMS = re.compile(r"broken invariant|AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|terminate called")

# Tasks are aborted for their silence all the time; nobody wants their cores.
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
processes.become_subreaper()


class Outcome:
    """What a command-line program did."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


def run(command, env=None, limit=60, input="", **more):
    done = subprocess.run(command, env=env, input=input, capture_output=True, text=True,
                          timeout=limit * cases.PATIENCE, **more)
    return Outcome(done.returncode, done.stdout, done.stderr)


class Daemon:
    """with Daemon({"api": {...}}) as daemon: ...

    Starts vigild with these tasks and waits until it answers. At the end of the block it is stopped, and the
    case fails if its exit code is not `ends_with`, if a process, a zombie, a descriptor or a file is left, or
    if its log has an alarm in it. `text` replaces the whole configuration; `wrap` goes before the program, `around`
    before the change of the user.
    """

    def __init__(self, tasks=None, *, daemon=None, defaults=None, text=None, ends_with=0, wrap=(), options=(),
                 env=None, uid=None, runtime_dir=None, wait=True, around=()):
        # Short, because a socket's path has room for 107 bytes; open to others, who may be let in by the rights.
        self.directory = tempfile.mkdtemp(prefix="vg", dir="/tmp")
        os.chmod(self.directory, 0o755)
        self.runtime_dir = runtime_dir or os.path.join(self.directory, "r")
        self.socket = os.path.join(self.runtime_dir, "control.sock")
        self.log_path = os.path.join(self.directory, "log")
        self.config_path = os.path.join(self.directory, "vigil.json")
        self.uid = uid
        self.ends_with = ends_with
        self._around = list(around)
        self._wrap, self._options, self._env, self._wait = list(wrap), list(options), env or {}, wait
        self._before = set(processes.descendants(os.getpid()))
        self.config = {"version": 1, "daemon": {"runtime_dir": self.runtime_dir,
                                                "state_dir": os.path.join(self.directory, "s"),
                                                "log_dir": os.path.join(self.directory, "l"), **(daemon or {})},
                       "tasks": tasks or {}}
        if defaults:
            self.config["defaults"] = defaults
        self.write_config(text if text is not None else json.dumps(self.config, indent=1))
        if uid is not None:
            os.chown(self.directory, uid, uid)
            os.chown(self.config_path, uid, uid)
        self.process = None
        self.was_killed = False
        self.keep = False  # the directory stays

    def write_config(self, text):
        with open(self.config_path, "wb" if isinstance(text, bytes) else "w") as file:
            file.write(text)

    def path(self, name):
        """A file of this case, gone with it."""
        return os.path.join(self.directory, name)

    def task_processes(self):
        """All below vigild but its keeper."""
        return [pid for pid in processes.descendants(self.pid) if processes.command_line(pid) != "vigil-keeper"]

    # Life

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self._clean_up(failed=True)
            raise
        return self

    def start(self):
        as_user = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"] if self.uid else []
        environment = {"PATH": os.environ["PATH"], "HOME": self.directory, **self._env}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self._around, *as_user, *self._wrap, self.program(), "-c", self.config_path,
                                             *self._options],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                            cwd=self.directory)
        if self._wait:
            cases.eventually(self._answers, what="vigild answers on its control socket")
            cases.eventually(self._all_begun, what="every task has been started once")

    def program(self):
        if self.uid is None:
            return cases.VIGILD
        # The build may lie where this user cannot go (a home directory of root).
        return shutil.copy(cases.VIGILD, self.path("vigild"))

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"vigild ended with {self.process.returncode} instead of answering")
        try:
            with Client(self.socket, limit=5 * cases.PATIENCE) as client:
                return client.call("daemon.hello")["name"] == "vigild"
        except (FileNotFoundError, ConnectionError, PermissionError, TimeoutError):
            return False

    def _all_begun(self):
        """Whether no first start is still on its way, so that a case may look at pids and give orders."""
        return all(task["generation"] > 0 and (task["pid"] or task["status"] != "starting")
                   and not (task["status"] == "starting" and self._ready_at_exec(task["name"]))
                   for task in self.rpc("task.status")["tasks"] if task["status"] != "created" or task["desired"] == "up")

    def _ready_at_exec(self, name):
        spec = self.config["tasks"].get(name, {})
        return "ready" not in spec and "heartbeat" not in spec

    @property
    def pid(self):
        """Of vigild itself, also where something stands before it."""
        if not self._wrap:
            return self.process.pid
        def found():
            below = [self.process.pid, *processes.descendants(self.process.pid)]
            return next((pid for pid in below if processes.command_line(pid).startswith(cases.VIGILD)), None)
        return cases.eventually(found, what="vigild below what starts it")

    def send_signal(self, number):
        os.kill(self.pid, number)

    def wait(self, limit=30):
        """The exit code; a signal as a negative number."""
        return self.process.wait(limit * cases.PATIENCE)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.send_signal(how)
        code = self.wait()
        cases.equal(code, self.ends_with, "vigild's exit code")

    def __exit__(self, kind, *_):
        failed = kind is not None
        try:
            if not failed:
                failed = True
                if self.process.poll() is None:
                    self._check_running()
                self.stop()
                self._check_left()
                failed = False
        finally:
            self._clean_up(failed)

    # What must hold

    def _check_running(self):
        """The daemon holds what its live tasks need and no more."""
        pid = self.pid
        cases.eventually(lambda: not processes.zombies(pid), what="vigild has no zombie")
        with Client(self.socket) as client:
            tasks = client.call("task.status")["tasks"]
        live = sum(task["pid"] is not None for task in tasks)
        if all(task["status"] in ("healthy", "dead", "stopped", "completed", "created") for task in tasks):
            # One is its keeper's.
            cases.eventually(lambda: self.pidfds() <= live + 1, limit=5,
                             what=f"no more pidfds than the {live} live tasks need")
            cases.eventually(lambda: self.sockets() <= live + 4, limit=5,
                             what=f"no more sockets than {live} live tasks need")

    def _check_left(self):
        if self.was_killed:
            # No child of the vigild that told it to end, which has not waited for its last instructions.
            cases.eventually(lambda: not [pid for pid in processes.descendants(os.getpid()) if pid not in self._before
                                          and processes.command_line(pid) == "vigil-keeper"], what="the keeper has ended")
        if self.was_killed:
            # On a busy machine who was killed may be on its way out still: it has no memory any more, and so no command.
            cases.eventually(lambda: not [pid for pid in processes.descendants(os.getpid()) if pid not in self._before
                                          and processes.alive(pid) and not processes.command_line(pid)],
                             what="who was killed has ended")
        left = [pid for pid in processes.descendants(os.getpid()) if pid not in self._before]
        if self.was_killed:
            # What a killed vigild had started became this program's, which is no init.
            left = [pid for pid in left if processes.state(pid) != "Z" or not os.waitpid(pid, 0)]
        assert not left, f"vigild left processes behind: {processes.describe(left)}"
        found = sorted(os.path.relpath(os.path.join(place, name), self.runtime_dir)
                       for place, _, names in os.walk(self.runtime_dir) for name in names)
        assert set(found) <= {"lock"}, f"left in the runtime directory: {found}"
        alarm = ALARMS.search(self.log)
        assert not alarm, f"in the log: {alarm.group()}"

    def _clean_up(self, failed):
        if failed:
            print(f"--- the log of vigild:\n{self.log[-8000:]}\n---", file=sys.stderr)
        if self.process is not None and self.process.poll() is None:
            for pid in [self.process.pid, *processes.descendants(self.process.pid)]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
        processes.end([pid for pid in processes.descendants(os.getpid()) if pid not in self._before])
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def descriptors(self):
        """How many it has open, once the connections that were just closed are forgotten."""
        seen = [-1]

        def settled():
            seen.append(len(processes.descriptors(self.pid)))
            return seen[-1] == seen[-2] and len(seen) > 3
        cases.eventually(settled, what="the number of descriptors settles")
        return seen[-1]

    def pidfds(self):
        return sum("pidfd" in target for target in processes.descriptors(self.pid))

    def sockets(self):
        return sum(target.startswith("socket:") for target in processes.descriptors(self.pid))

    # Talking to it

    @property
    def log(self):
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def client(self, **options):
        return Client(self.socket, **options)

    def rpc(self, method, params=None):
        with self.client() as client:
            return client.call(method, params)

    def ctl(self, *arguments, env=None, limit=60, wrap=(), **more):
        environment = {"PATH": os.environ["PATH"], "HOME": self.directory, "VIGIL_SOCKET": self.socket, **(env or {})}
        return run([*wrap, cases.VIGILCTL, *arguments], env=environment, limit=limit, **more)

    def status(self, name):
        """The status object of one task."""
        tasks = self.rpc("task.status", {"name": name})["tasks"]
        assert len(tasks) == 1, f"{len(tasks)} tasks are called {name}"
        return tasks[0]

    def reaches(self, name, wanted, limit=30.0):
        """Waits until a task is in this state, and gives its status object."""
        def reached():
            found = self.status(name)
            return found if found["status"] == wanted else None
        try:
            return cases.eventually(reached, limit, f"{name} is {wanted}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.status(name)}") from None

    def started_again(self, name, generation, limit=30.0):
        """Waits until a task is healthy in a later generation."""
        def reached():
            found = self.status(name)
            return found if found["status"] == "healthy" and found["generation"] > generation else None
        return cases.eventually(reached, limit, f"{name} is healthy after generation {generation}")

    def read(self, name):
        """A file of this case, waited for until it holds a whole line."""
        def whole():
            try:
                with open(self.path(name)) as file:
                    text = file.read()
            except FileNotFoundError:
                return None
            return text if text.endswith("\n") else None
        return cases.eventually(whole, what=f"{name} holds a line")

    def notify_socket(self, name):
        """The socket that a running task was given, from its environment."""
        pid = self.status(name)["pid"]
        return cases.eventually(lambda: processes.environment(pid), what=f"{name} is executed")["NOTIFY_SOCKET"]


def datagrams(path):
    """A socket that sends to a notify socket."""
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.connect(path)
    return sender
