"""A client of the control socket that knows nothing but the wire: a line of JSON each way."""
import calendar
import json
import socket
import time


def moment(text):
    """A time of the wire (RFC 3339 in UTC, with milliseconds) as seconds since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data") or {}
        self.kind = self.data.get("kind")


class Client:
    """One connection. Also used to send what no client should."""

    def __init__(self, path, limit=30.0):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # With a time limit a full backlog would be an error (EAGAIN) instead of a short wait.
        self._socket.connect(path)
        self._socket.settimeout(limit)
        self._buffer = b""
        self._next_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def send(self, data):
        self._socket.sendall(data)

    def request(self, method, params=None):
        """Sends a request and gives its id."""
        self._next_id += 1
        message = {"jsonrpc": "2.0", "id": self._next_id, "method": method}
        if params is not None:
            message["params"] = params
        self.send(json.dumps(message).encode() + b"\n")
        return self._next_id

    def line(self, limit=None):
        """The next line as JSON; None at the end of the stream."""
        if limit is not None:
            self._socket.settimeout(limit)
        while b"\n" not in self._buffer:
            try:
                got = self._socket.recv(1 << 16)
            except ConnectionResetError:
                got = b""
            if not got:
                return None
            self._buffer += got
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def call(self, method, params=None):
        """The result of a request; raises RpcError."""
        wanted = self.request(method, params)
        while True:
            message = self.line()
            if message is None:
                raise ConnectionError("the daemon closed the connection")
            if message.get("id") == wanted:
                if "error" in message:
                    raise RpcError(message["error"])
                return message["result"]

    def refused(self, method, params=None):
        """The error of a request that must not succeed."""
        try:
            result = self.call(method, params)
        except RpcError as error:
            return error
        raise AssertionError(f"{method} {params} succeeded: {result}")

    def events(self, until, limit=30.0):
        """The events of a subscription, from the next one to the first for which until(event) is true."""
        found = []
        end = time.monotonic() + limit
        while time.monotonic() < end:
            message = self.line(limit=max(0.01, end - time.monotonic()))
            if message is None:
                raise ConnectionError("the event stream ended")
            if message.get("method") != "event":
                continue
            found.append(message["params"])
            if until(found[-1]):
                return found
        raise AssertionError(f"not within {limit} s among the events: {found}")
