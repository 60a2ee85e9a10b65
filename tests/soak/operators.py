"""Operators: clients that order, ask, listen, wait too short, and go away in the middle."""
import json
import socket

import specs
from client import Client, RpcError

# A daemon that is killed, or one that has not begun, is no fault of the operator's; the rest is.
ALLOWED = {"NoSuchTask", "AlreadyExists", "Timeout", "Busy"}

ORDERS = [("task.start", 22), ("task.stop", 7), ("task.restart", 12), ("task.kill", 3), ("task.signal", 8), ("task.pause", 3),
          ("task.resume", 10), ("task.add", 6), ("task.remove", 6), ("task.status", 10), ("task.logs", 4), ("task.wait", 4),
          ("daemon.status", 5)]
ASIDE = [("events", 4), ("leave", 5), ("half", 2), ("ctl", 3), ("pipeline", 3)]


class Operator:
    """One who acts by lot. step() is one act and the pause after it."""

    def __init__(self, stage, number, acts_per_second):
        self.stage, self.rate = stage, acts_per_second
        self.lot = stage.lot(f"operator-{number}")
        self.client = None

    def step(self):
        self.stage.pause(self.lot.expovariate(self.rate))
        if self.stage.quiet.is_set():
            return self.leave()
        words, weights = zip(*(ORDERS + ASIDE))
        word = self.lot.choices(words, weights)[0]
        # Drawn before anything is done, so that the lot goes on the same whatever comes of it.
        order = self.draw(word if "." in word else self.lot.choice(["task.start", "task.restart", "task.stop", "task.status"]))
        act = {"events": self.listen, "leave": self.order_and_leave, "half": self.half_a_request, "ctl": self.by_vigilctl,
               "pipeline": self.pipeline}.get(word, self.order)
        try:
            act(*order)
        except (ConnectionError, FileNotFoundError, socket.timeout):
            self.stage.counts.add("orders cut off")
            self.leave()

    def leave(self):
        if self.client:
            self.client.close()
        self.client = None

    def target(self):
        """A task or, now and then, a handful of them by pattern."""
        name = self.lot.choice(self.stage.names if self.lot.random() < 0.95 else specs.ADDED)
        if self.lot.random() < 0.15 and len(name) > 2:
            at = self.lot.randrange(1, len(name))
            return name[:at] + "?" + name[at + 1:]
        return name

    def draw(self, method):
        lot = self.lot
        if method == "daemon.status":
            return method, {}
        params = {"name": self.target()}
        if method == "task.start" and lot.random() < 0.1:
            params["name"] = "*"
        if method in ("task.add", "task.remove"):
            params["name"] = lot.choice(specs.ADDED if lot.random() < 0.9 else self.stage.names)
        if method == "task.add":
            params["spec"] = specs.task(self.stage.seed, params["name"], self.stage.ledgers, self.stage.mean_ms)
        if method == "task.signal":
            params["signal"] = lot.choice(["USR1", "HUP", "TERM", "KILL", "SEGV", "CONT"])
        if method == "task.kill" and lot.random() < 0.5:
            params["now"] = True
        if method == "task.wait":
            params |= {"for": lot.choice(["healthy", "stopped", "completed", "exit"]), "timeout": lot.choice([50, 500, 3000])}
        if method in ("task.start", "task.stop", "task.restart", "task.kill", "task.add", "task.remove"):
            params |= lot.choice([{"wait": False}, {"timeout": lot.choice([1, 20, 200])}, {"timeout": 15000}])
        return method, params

    def connected(self):
        if self.client is None:
            # Longer than any time limit of an order, and than a daemon is away.
            self.client = Client(self.stage.daemon.socket, limit=45)
        return self.client

    def order(self, method, params):
        self.stage.counts.add(f"order {method}")
        try:
            self.connected().call(method, params)
        except RpcError as error:
            self.judge(method, params, error)

    def judge(self, method, params, error):
        self.stage.counts.add(f"refused {error.kind}")
        if error.kind not in ALLOWED:
            self.stage.fault(f"{method} {json.dumps(params)[:200]} was answered with {error}")

    def order_and_leave(self, method, params):
        self.stage.counts.add("left in the middle")
        self.connected().request(method, params)
        self.leave()

    def half_a_request(self, method, params):
        self.stage.counts.add("half requests")
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self.connected().send(text[:len(text) // 2].encode())
        self.leave()

    def pipeline(self, method, params):
        client = self.connected()
        sent = {client.request(method, params), *(client.request("task.status", {"name": self.target()}) for _ in range(9))}
        self.stage.counts.add("order in a pipeline", len(sent))
        while sent:
            answer = client.line()
            if answer is None:
                raise ConnectionError("the daemon closed the connection")
            sent.discard(answer.get("id"))
            if "error" in answer:
                self.judge("pipeline", params, RpcError(answer["error"]))

    def listen(self, *_):
        self.stage.counts.add("subscriptions")
        with Client(self.stage.daemon.socket, limit=45) as listener:
            listener.call("events.subscribe", {"name": self.target()} if self.lot.random() < 0.5 else {})
            for _ in range(self.lot.randrange(20)):
                try:
                    listener.line(limit=0.1)
                except socket.timeout:
                    break

    def by_vigilctl(self, *_):
        self.stage.counts.add("vigilctl")
        target = self.target()
        arguments = self.lot.choice([["status"], ["status", "--json"], ["logs", "-n", "5", target], ["show", target],
                                     ["restart", "--timeout", "2s", target], ["start", "--timeout", "1s", target], ["diff"]])
        done = self.stage.daemon.ctl(*arguments, limit=90)
        # 69: unreachable, 78: the files are broken at the moment, 124: the time limit.
        if done.code not in (0, 1, 3, 4, 69, 78, 124):
            self.stage.fault(f"vigilctl {' '.join(arguments)}: {done}")


def begin(stage, count, acts_per_second):
    for number in range(count):
        operator = Operator(stage, number, acts_per_second / count)
        stage.begin(f"operator {number}", operator.step, stage.quiet)
