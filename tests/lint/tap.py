"""What the lint scripts share: the project's files, C text without comments and strings, TAP."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.chdir(TOP)
count = [0, 0]


def files(folders, endings=("",)):
    """Paths below the folders, sorted; build folders and hidden ones are no part of the project."""
    found = []
    for folder in folders:
        if os.path.isfile(folder):
            found.append(folder)
        for root, dirs, names in os.walk(folder):
            dirs[:] = [d for d in dirs if not d.startswith((".", "build", "__pycache__"))]
            found += [os.path.join(root, n) for n in names if n.endswith(tuple(endings)) and not n.startswith(".")]
    return sorted(found)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def blank(text, strings=True):
    """Comments, and the contents of strings if wanted, become blanks; lines stay where they are."""
    def out(match):
        word = match.group(0)
        if word[0] in "\"'" and not strings:
            return word
        inner = re.sub(r"[^\n]", " ", word)
        return word[0] + inner[1:-1] + word[-1] if word[0] in "\"'" else inner
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", out, text, flags=re.S)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def ok(good, what, faults=()):
    count[0] += 1
    count[1] += not good
    print(f"{'ok' if good else 'not ok'} {count[0]} - {what}")
    for fault in faults:
        print(f"# {fault}")


def done():
    print(f"1..{count[0]}")
    sys.exit(1 if count[1] else 0)
