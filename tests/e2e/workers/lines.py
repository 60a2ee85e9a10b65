"""Numbered lines: lines.py COUNT [PAUSE-IN-MS-AFTER-EACH-100 [PREFIX]]. Lines have various lengths, and end with their own length
so that a line that was cut or mixed with another is noticed."""
import sys
import time

count = int(sys.argv[1])
pause = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0
prefix = sys.argv[3] if len(sys.argv) > 3 else "line"
out = sys.stdout
for number in range(count):
    text = f"{prefix} {number} " + "x" * (number * 7 % 113)
    out.write(f"{text} {len(text)}\n")
    if number % 100 == 99:
        out.flush()
        if pause:
            time.sleep(pause)
out.flush()
while True:
    time.sleep(1000)
