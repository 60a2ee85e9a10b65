"""beater.py INTERVAL [FILE]: says READY=1, then beats; keeps the wall time of the last beat in FILE.GENERATION."""
import os
import socket
import sys
import time

interval = float(sys.argv[1])
beats = open(f"{sys.argv[2]}.{os.environ['VIGIL_GENERATION']}", "w") if len(sys.argv) > 2 else None
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
notify.setblocking(False)
notify.send(b"READY=1\nSTATUS=beating")
while True:
    # Taken before the beat and written after it: a reader sees the time of a beat that was sent, or an older one.
    moment = time.time()
    try:
        notify.send(b"WATCHDOG=1")
    except BlockingIOError:
        pass  # a daemon that does not read just now
    if beats:
        beats.seek(0)
        beats.write(f"{moment:.6f}\n")
        beats.flush()
    time.sleep(interval)
