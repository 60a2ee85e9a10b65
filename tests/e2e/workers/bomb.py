"""Forks as fast as it may, each child in a session of its own; only RLIMIT_NPROC bounds it. bomb.py FILE"""
import os
import signal
import sys

signal.signal(signal.SIGTERM, signal.SIG_IGN)
first = True
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        # The limit is reached: the bomb is as large as it gets.
        if first:
            first = False
            try:
                os.close(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o666))
            except OSError:
                pass
