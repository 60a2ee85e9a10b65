#!/usr/bin/env python3
"""Beats for four seconds, then hangs as a deadlock does: the process lives on, and only its silence shows it."""

import os
import threading
import time

from worker import Supervisor

supervisor = Supervisor()
supervisor.ready()
for second in range(4):
    supervisor.status(f"{4 - second} s to go before it hangs")
    supervisor.beat()
    time.sleep(1)

print(f"hang: process {os.getpid()} is stuck now", flush=True)
deadlock = threading.Lock()
deadlock.acquire()
deadlock.acquire()
