#!/usr/bin/python3 -B
"""What a program draws on a terminal: screen.py [-o FILE] COLUMNSxLINES[@SECONDS:COLUMNSxLINES]... [-s SECONDS:SIGNAL] -- COMMAND...

Runs COMMAND at a terminal of its own, resized at those times, and follows cursor movements like a small terminal. stdout: the screen as it was each time
half a second had passed, between lines of `---`, and at last the screen at the end; trailing blanks and empty lines are left out. FILE: the raw octets.
A line that a program makes too wide wraps, and shows. Exit code: the program's; 99 where it did not end within 60 s.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata


class Screen:
    def __init__(self, columns, lines):
        self.columns, self.lines, self.rows, self.x, self.y, self.rest = columns, lines, [[]], 0, 0, b""

    def row(self):
        while len(self.rows) <= self.y:
            self.rows.append([])
        return self.rows[self.y]

    def put(self, char):
        wide = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if self.x + wide > self.columns:
            self.x, self.y = 0, self.y + 1
        row = self.row()
        row.extend([" "] * (self.x + wide - len(row)))
        row[self.x:self.x + wide] = [char] + [""] * (wide - 1)
        self.x += wide

    def resize(self, columns, lines):
        """As terminals do it: lines that are too long now are wrapped, and the cursor stays with its text."""
        rows, y = [], self.y
        for i, row in enumerate(self.rows):
            if i == self.y:
                y = len(rows)
            parts = [row[k:k + columns] for k in range(0, len(row), columns)] or [[]]
            rows.extend(parts)
        self.rows, self.y, self.columns, self.lines = rows, max(y, len(rows) if self.y >= len(self.rows) else y), columns, lines

    def control(self, code, letter):
        n = int(code) if code.isdigit() else 1
        if letter == "A":
            self.y = max(0, self.y - n)
        elif letter == "J":
            self.row()[self.x:] = []
            del self.rows[self.y + 1:]
        elif letter == "K":
            self.row()[self.x:] = []

    def feed(self, data):
        text = (self.rest + data).decode("utf-8", "surrogateescape")
        self.rest = b""
        while text:
            found = re.match(r"\x1b\[([0-9;]*)([A-Za-z])", text)
            if found:
                self.control(found[1], found[2])
                text = text[found.end():]
                continue
            if text[0] == "\x1b" or "\udc80" <= text[0] <= "\udcff":
                self.rest = text.encode("utf-8", "surrogateescape")
                return
            if text[0] == "\r":
                self.x = 0
            elif text[0] == "\n":
                self.y += 1
                self.row()
            else:
                self.put(text[0])
            text = text[1:]

    def __str__(self):
        return "\n".join(line for line in ("".join(row).rstrip() for row in self.rows) if line)


def size(text):
    return tuple(int(n) for n in text.split("x"))


def main():
    words, command = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
    raw = open(words.pop(words.index("-o") + 1), "wb") if "-o" in words else None
    kills = [words.pop(words.index("-s") + 1)] if "-s" in words else []
    words = [w for w in words if w not in ("-o", "-s")]
    first, *later = words[0].split("@")
    screen = Screen(*size(first))
    todo = [(float(at.split(":")[0]), "size", at.split(":")[1]) for at in later] + [(float(k.split(":")[0]), "kill", k.split(":")[1]) for k in kills]
    todo.sort()
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("4H", screen.lines, screen.columns, 0, 0))
        os.execvp(command[0], command)
    begun, shown = time.monotonic(), 0.0
    while time.monotonic() - begun < 60:
        now = time.monotonic() - begun
        while todo and todo[0][0] <= now:
            _, what, value = todo.pop(0)
            if what == "kill":
                os.kill(pid, getattr(signal, value))
            else:
                screen.resize(*size(value))
                fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", screen.lines, screen.columns, 0, 0))
        if now - shown > 0.5:
            shown = now
            print(screen, "---", sep="\n")
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        try:
            more = os.read(fd, 65536)
        except OSError:
            break
        if not more:
            break
        if raw:
            raw.write(more)
        screen.feed(more)
    else:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        sys.exit(99)
    print(screen)
    sys.stdout.flush()
    code = os.waitpid(pid, 0)[1]
    sys.exit(os.waitstatus_to_exitcode(code) if os.WIFEXITED(code) else 128 + os.WTERMSIG(code))


main()
