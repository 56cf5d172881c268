#!/usr/bin/python3 -B
"""acme-dns: an API that cannot show, cannot delete, holds two values of one name and wants 43 characters. A simulated one writes to named, which is asked."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "clouds", "apis")]
from callbacks import AcmeDns  # noqa: E402
from conform import Dns  # noqa: E402
from conform_cases import described, inside  # noqa: E402

done = []


def ok(good, what, said=""):
    done.append(good)
    print(f"{'ok' if good else 'not ok'} {len(done)} - {what}", *([f"# {said}"] if not good else []), sep="\n", flush=True)


inside(__file__, "named", "unbound", "zones=1")
named = os.environ["LAB_NAMED"]
dns = Dns(named, "z1.test")
api = AcmeDns(dns)
owner = f"{api.SUBDOMAIN}.{dns.zone}"
run = described("acme-dns", api, f"url = http://GATE\nusername = me\npassword_file = SECRET\nsubdomain = {api.SUBDOMAIN}\nserver = {named}\nwait = 3s", dns).agent.run


def stands(*letters):
    return sorted(v for (v,) in dns.view().get(owner, (0, []))[1]) == sorted(c.encode() * 43 for c in letters)


for turn, (letter, left) in enumerate((("A", "A"), ("B", "AB"), ("C", "BC"))):
    code, out = run("txt", "add", owner, letter * 43)
    ok(code == 0 and stands(*left), f"value {turn + 1} is added; the oldest of three is gone", out)
for letter in "BC":
    code, out = run("txt", "del", owner, letter * 43)
    ok(code == 0 and stands(*"BC"), "let go: it stands there until others come, and nobody waits for it", out)
code, out = run("gc")
ok(code == 0 and len(api.log) == 3, "nothing is left to do, nothing was asked twice", (out, api.log))
code, out = run("txt", "add", owner, "D" * 43)
ok(code == 0 and stands(*"CD"), "values of earlier orders are nobody else's", out)
code, out = run("txt", "add", owner, "short")
ok(code == 11 and "bad_txt" in out and stands(*"CD"), "what is no ACME value is refused in its words", out)
run("txt", "del", owner, "short")
print(f"1..{len(done)}")
sys.exit(not all(done))
