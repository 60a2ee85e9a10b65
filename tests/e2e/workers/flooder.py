"""flooder.py SECONDS: READY=1, then as many datagrams as go in, then quiet beats. A thread cannot do more."""
import os
import socket
import sys
import time

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
notify.send(b"READY=1")
end = time.monotonic() + float(sys.argv[1])
sent = 0
while time.monotonic() < end:
    for _ in range(256):
        notify.send(b"WATCHDOG=1")
    sent += 256
notify.send(b"STATUS=sent %d" % sent)
while True:
    notify.send(b"WATCHDOG=1")
    time.sleep(0.1)
