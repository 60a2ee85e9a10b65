"""says.py MESSAGE...: sends each as one datagram, and waits for its end."""
import os
import signal
import socket
import sys

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
for message in sys.argv[1:]:
    notify.send(message.encode())
while True:
    signal.pause()
