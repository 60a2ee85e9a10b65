"""What tasks run: commands and specifications that many cases share."""
import os

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"


def worker(name, *arguments):
    """The command of a worker from workers/."""
    return [PYTHON, "-B", os.path.join(HERE, "workers", name), *map(str, arguments)]


def shell(script):
    return ["/bin/sh", "-c", script]


SLEEP = {"command": ["/bin/sleep", "1000"]}


def failing(code=1, **restart):
    """A task that ends at once."""
    return {"command": shell(f"exit {code}"), "restart": {"base_delay": "50ms", "jitter": 0, **restart}}


def beater(timeout="1s", interval=0.1, **more):
    """A Python task that is healthy by READY=1 and beats."""
    return {"command": worker("beater.py", interval), "ready": {"on": "notify"},
            "heartbeat": {"timeout": timeout, "initial_delay": "30s"},
            "restart": {"base_delay": "100ms", "jitter": 0}, **more}
