"""The control socket against clients that are wrong, slow, silent, greedy or too many."""
import json
import socket
import threading

import cases
import processes
from cases import case, contains, equal, eventually, main, now
from harness import SLEEP, Daemon, failing

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602


def still_serves(daemon):
    with daemon.client() as client:
        equal(client.call("daemon.hello")["name"], "vigild", "hello")


class BoundedMemory:
    """The daemon's resident memory grows by less than so many MiB over the block."""

    def __init__(self, daemon, mebibytes):
        self._daemon, self._limit = daemon, mebibytes * 1024

    def _resident(self):
        return int(processes.status_field(self._daemon.pid, "VmRSS")[0])

    def __enter__(self):
        self._before = self._resident()

    def __exit__(self, kind, *_):
        # A sanitizer keeps freed memory back to find its late users.
        if kind is None and cases.PATIENCE == 1.0:
            grown = self._resident() - self._before
            assert grown < self._limit, f"{grown} KiB more"


@case()
def broken_requests_are_answered_with_one_clear_error_each_and_the_connection_lives():
    wrong = [(b"{", PARSE_ERROR), (b"nonsense", PARSE_ERROR), (b"\xff\xfe", PARSE_ERROR),
             (b'{"jsonrpc":"2.0","id":1,,}', PARSE_ERROR),
             (b"[]", INVALID_REQUEST), (b"1", INVALID_REQUEST), (b"null", INVALID_REQUEST), (b"{}", INVALID_REQUEST),
             (b'{"jsonrpc":"1.0","id":1,"method":"daemon.hello"}', INVALID_REQUEST),
             (b'{"jsonrpc":"2.0","id":{},"method":"daemon.hello"}', INVALID_REQUEST),
             (b'{"jsonrpc":"2.0","id":1,"method":7}', INVALID_REQUEST),
             (b'{"jsonrpc":"2.0","id":1,"method":"task.fly"}', METHOD_NOT_FOUND),
             (b'{"jsonrpc":"2.0","id":1,"method":""}', METHOD_NOT_FOUND),
             (b'{"jsonrpc":"2.0","id":1,"method":"task.stop"}', INVALID_PARAMS),
             (b'{"jsonrpc":"2.0","id":1,"method":"task.stop","params":{"name":7}}', INVALID_PARAMS),
             (b'{"jsonrpc":"2.0","id":1,"method":"task.stop","params":{"name":"a","nmae":"a"}}', INVALID_PARAMS),
             (b'{"jsonrpc":"2.0","id":1,"method":"task.signal","params":{"name":"a","signal":"NOPE"}}', INVALID_PARAMS),
             (b'{"jsonrpc":"2.0","id":1,"method":"daemon.hello","params":' + b"[" * 100 + b"]" * 100 + b"}", None)]
    with Daemon({"a": SLEEP}) as daemon:
        with daemon.client() as client:
            for line, code in wrong:
                client.send(line + b"\n")
                answer = client.line()
                assert answer is not None and "error" in answer, f"{line[:80]}: {answer}"
                assert answer["error"]["message"], answer
                if code is not None:
                    equal(answer["error"]["code"], code, f"the code for {line[:80]}")
            equal(client.call("daemon.hello")["name"], "vigild", "the same connection")
        equal(daemon.status("a")["generation"], 1, "the task")


@case()
def an_unknown_method_or_parameter_is_answered_with_the_nearest_known_one():
    with Daemon({"a": SLEEP}) as daemon, daemon.client() as client:
        contains(client.refused("task.statsu").message, "task.status")
        contains(client.refused("task.stop", {"name": "a", "timeuot": "1s"}).message, "timeout")


@case()
def ids_are_echoed_as_they_were_written_and_a_notification_is_not_answered():
    with Daemon({"a": SLEEP}) as daemon, daemon.client() as client:
        for text in ('"x-1"', "0", "-7", "9007199254740993", "1.5", '"\\u00e4"', '""'):
            client.send(b'{"jsonrpc":"2.0","id":%s,"method":"daemon.hello"}\n' % text.encode())
            equal(client.line()["id"], json.loads(text), "id")
        client.send(b'{"jsonrpc":"2.0","method":"daemon.hello"}\n')
        equal(client.call("daemon.hello")["name"], "vigild", "the next answer is to the next request")


@case(timeout=120)
def nasty_65_a_line_of_10_mb_is_refused_in_bounded_memory():
    with Daemon({"a": SLEEP}) as daemon:
        with BoundedMemory(daemon, 6), daemon.client() as client:
            try:
                for _ in range(160):
                    client.send(b"x" * 65536)
            except (BrokenPipeError, ConnectionResetError):
                pass  # closed before all was sent: what is meant to happen
            try:
                while (answer := client.line(limit=10)) is not None:
                    contains(answer["error"]["message"], "line")
            except OSError:
                pass
        still_serves(daemon)


@case(timeout=120)
def nasty_65_three_hundred_idle_clients_do_not_keep_another_out():
    with Daemon({"a": SLEEP}) as daemon:
        before = daemon.descriptors()
        idle = []
        for _ in range(300):
            idle.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            idle[-1].connect(daemon.socket)
        still_serves(daemon)
        equal(daemon.ctl("status", "a").code, 0, "vigilctl")
        assert len(processes.descriptors(daemon.pid)) - before <= 260, "more than 256 clients"
        for client in idle:
            client.close()
        eventually(lambda: len(processes.descriptors(daemon.pid)) <= before, what="their descriptors are closed")


@case()
def nasty_65_half_a_line_and_silence_hinders_nobody():
    with Daemon({"a": SLEEP}) as daemon:
        slow = [daemon.client() for _ in range(20)]
        for client in slow:
            client.send(b'{"jsonrpc":"2.0","id":1,"meth')
        for _ in range(5):
            for client in slow:
                client.send(b"o")
            still_serves(daemon)
        for client in slow:
            client.send(b'd":"daemon.hello"}\n')
        for client in slow:
            assert client.line()["error"], "meth...d is no member of a request"
            client.close()


@case()
def nasty_65_a_thousand_pipelined_requests_are_all_answered():
    with Daemon({"a": SLEEP}) as daemon, daemon.client() as client:
        lines = [b'{"jsonrpc":"2.0","id":%d,"method":"task.status","params":{"name":"a"}}\n' % number
                 for number in range(1000)]
        sender = threading.Thread(target=client.send, args=(b"".join(lines),))
        sender.start()
        answered = {client.line()["id"] for _ in range(1000)}
        sender.join()
        equal(answered, set(range(1000)), "ids")


@case(timeout=120)
def nasty_65_a_reader_that_never_reads_is_bounded_and_hinders_nobody():
    tasks = {f"task-{number}": {"command": ["/bin/sleep", "1000"], "autostart": False} for number in range(300)}
    with Daemon(tasks) as daemon:
        greedy = daemon.client(limit=2)
        with BoundedMemory(daemon, 16):
            try:
                for number in range(400):
                    greedy.send(b'{"jsonrpc":"2.0","id":%d,"method":"task.status"}\n' % number)
            except (TimeoutError, BrokenPipeError, ConnectionResetError):
                pass  # it is read no further while its answers wait
            for _ in range(20):
                begin = now()
                still_serves(daemon)
                assert now() - begin < 5, "another client waited"
        greedy.close()
        still_serves(daemon)


@case(timeout=120)
def nasty_65_a_subscriber_that_never_reads_is_dropped():
    for_ever = {"policy": "always", "base_delay": "0s", "max_attempts": None}
    with Daemon({"busy": {"command": ["/bin/true"], "restart": for_ever}}) as daemon:
        deaf = daemon.client()
        deaf.call("events.subscribe")
        seen = daemon.client()
        eventually(lambda: seen.call("daemon.status")["dropped"]["clients_dropped"] >= 1, limit=90,
                   what="the subscriber that does not read is dropped")
        deaf.close()
        seen.close()
        daemon.ctl("stop", "busy")


@case()
def nasty_36_and_65_a_client_that_leaves_in_the_middle_of_a_wait_changes_nothing():
    with Daemon({"a": SLEEP}) as daemon:
        before = daemon.descriptors()
        for _ in range(50):
            client = daemon.client()
            client.request("task.wait", {"name": "a", "for": "exit"})
            client.close()
        eventually(lambda: len(processes.descriptors(daemon.pid)) == before, what="their descriptors are closed")
        client = daemon.client()
        client.request("task.restart", {"name": "a"})
        client.close()
        eventually(lambda: daemon.status("a")["generation"] == 2, what="the order is carried out")


@case()
def a_client_that_only_shuts_its_sending_side_still_gets_its_answer():
    with Daemon({"a": SLEEP}) as daemon:
        raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        raw.settimeout(20)
        raw.connect(daemon.socket)
        raw.sendall(b'{"jsonrpc":"2.0","id":1,"method":"task.stop","params":{"name":"a"}}\n')
        raw.shutdown(socket.SHUT_WR)
        got = b""
        while chunk := raw.recv(65536):
            got += chunk
        raw.close()
        equal(json.loads(got)["result"]["tasks"][0]["outcome"], "done", "the answer")


@case()
def nasty_66_of_two_orders_that_exclude_each_other_the_last_holds_and_both_are_answered():
    with Daemon({"a": SLEEP}) as daemon, daemon.client() as client:
        ids = {client.request("task.stop", {"name": "a"}), client.request("task.start", {"name": "a"})}
        equal({client.line()["id"], client.line()["id"]}, ids, "both are answered")
        daemon.reaches("a", "healthy")
        ids = {client.request("task.restart", {"name": "a"}), client.request("task.stop", {"name": "a"})}
        equal({client.line()["id"], client.line()["id"]}, ids, "both are answered")
        daemon.reaches("a", "stopped")


@case()
def environment_values_are_shown_to_root_and_to_the_daemons_user():
    with Daemon({"a": {**SLEEP, "env": {"TOKEN": "hunter2"}}}) as daemon:
        spec = daemon.rpc("task.status", {"name": "a", "spec": True})["tasks"][0]["spec"]
        equal(spec["env"], {"TOKEN": "hunter2"}, "env")
        contains(daemon.ctl("show", "a").out, "TOKEN")


@case()
def status_has_every_field_of_the_contract_also_where_it_does_not_apply():
    fields = {"name", "status", "paused", "cause", "pid", "generation", "restart_attempts", "max_restart_attempts",
              "restarts_total", "started_at", "uptime_ms", "last_heartbeat_age_ms", "heartbeat_timeout_ms",
              "next_start_in_ms", "status_text", "last_exit"}
    with Daemon({"up": SLEEP, "idle": {**SLEEP, "autostart": False}, "crash": failing(5, base_delay="60s")}) as daemon:
        daemon.reaches("crash", "failed")
        up, idle, crash = (daemon.status(name) for name in ("up", "idle", "crash"))
        for task in (up, idle, crash):
            assert fields <= set(task), f"missing: {fields - set(task)}"
        equal([idle[key] for key in ("status", "pid", "started_at", "last_exit", "generation")],
              ["created", None, None, None, 0], "idle")
        equal((up["paused"], up["restarts_total"], up["heartbeat_timeout_ms"]), (False, 0, None), "up")
        assert isinstance(up["uptime_ms"], int) and up["started_at"].endswith("Z"), up
        assert 50_000 < crash["next_start_in_ms"] <= 66_000, crash
        equal({key: crash["last_exit"][key] for key in ("kind", "code", "signal", "core")},
              {"kind": "code", "code": 5, "signal": None, "core": False}, "last_exit")


if __name__ == "__main__":
    main()
