"""The other supervisors, each with what it can be asked. Debian has all but dinit."""
import dataclasses
import os
import shutil

import machine


def no_program(name):
    return lambda: None if shutil.which(name) else f"there is no {name} here"


def no_dinit():
    named = os.environ.get("DINIT")
    if not named:
        return "the variable DINIT names no program"
    return None if os.access(named, os.X_OK) else f"DINIT: there is no {named}"


@dataclasses.dataclass
class Peer:
    name: str
    missing: callable  # why it cannot be measured; None: it can
    sizes: tuple
    rounds: int
    crashes: int


PEERS = [
    # s6, runit and supervisor may take a second before they start again what has ended.
    Peer("s6", no_program("s6-svscan"), (1, 100, 1000), 2, 3),
    # runsvdir has 1,000 services at most.
    Peer("runit", no_program("runsvdir"), (1, 100, 900), 2, 3),
    Peer("supervisor", no_program("supervisord"), (1, 100, 1000), 2, 3),
    Peer("systemd", machine.why_not, (1, 100, 1000), 2, 50),
    Peer("dinit", no_dinit, (1, 10, 100, 1000, 5000), 3, 100),
]
