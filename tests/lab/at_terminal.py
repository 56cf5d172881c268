#!/usr/bin/python3 -B
"""Runs a program at a terminal of its own and answers its questions: at_terminal.py QUESTION ANSWERS COMMAND...

Each time QUESTION stands at the end of what the program has written, the next of ANSWERS (divided by commas) is typed; the last one again and again.
All output goes to stdout. Exit code: the program's; 99 where it did not end within 60 s.
"""
import os
import pty
import select
import sys
import time

question, answers, command = sys.argv[1].encode(), sys.argv[2].split(","), sys.argv[3:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
seen, end = b"", time.monotonic() + 60
while time.monotonic() < end:
    if not select.select([fd], [], [], 1)[0]:
        continue
    try:
        more = os.read(fd, 65536)
    except OSError:
        break
    if not more:
        break
    os.write(1, more.replace(b"\r\n", b"\n"))
    seen += more
    if seen.rstrip().endswith(question):
        os.write(fd, answers[0].encode() + b"\n")
        answers, seen = answers[1:] or answers, b""
else:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    sys.exit(99)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
