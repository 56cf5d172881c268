#!/usr/bin/python3 -B
"""tests/lab/foreign.py SEED COUNT KEY ZONE@SERVER...: other people's TXT sets, of all kinds, at f0 ... fN of the zones in turn.

Adds them by nsupdate and prints the names, one a line. The same seed makes the same sets.
"""
import random
import subprocess
import sys

SHAPES = (
    lambda r: [b"v=spf1 mx include:_spf.example.com -all"],
    lambda r: [b"google-site-verification=" + bytes(r.choice(b"abcdefghijklmnop0123456789_-") for _ in range(43))],
    lambda r: [b"v=DKIM1; k=rsa; p=" + bytes(r.choice(b"ABCDEFabcdef0123456789+/") for _ in range(230)), b"tail", b""],
    lambda r: [bytes(r.randrange(256) for _ in range(r.randrange(1, 256)))],
    lambda r: [bytes(r.randrange(256) for _ in range(255)) for _ in range(r.randrange(2, 5))],
    lambda r: [b"", b"quote \" backslash \\ semicolon ; dollar $ at @ paren (", b"\x00\x7f\x80\xff"],
    lambda r: ["電子核證 – ünïcode".encode(), b" leading and trailing blanks "],
    lambda r: [b""],
)


def text(value):
    return " ".join('"' + "".join(chr(c) if c < 128 and chr(c).isalnum() else f"\\{c:03d}" for c in part) + '"' for part in value)


def main(seed, count, key, places):
    r = random.Random(seed)
    scripts = {place: [] for place in places}
    for i in range(count):
        place = places[i % len(places)]
        owner, ttl = f"f{i}.{place.split('@')[0]}", r.choice((0, 1, 60, 300, 3600, 86400))
        for shape in r.sample(SHAPES, r.randrange(1, 5)):
            scripts[place].append(f"update add {owner}. {ttl} TXT {text(shape(r))}")
        print(owner)
    for place, lines in scripts.items():
        zone, server = place.split("@")
        for at in range(0, len(lines), 40):
            script = "\n".join([f"server {server}", f"zone {zone}"] + lines[at:at + 40] + ["send", ""])
            subprocess.run(["nsupdate", "-v", "-k", key], input=script, text=True, check=True)


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
