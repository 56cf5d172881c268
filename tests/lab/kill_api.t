#!/usr/bin/python3 -B
"""Killed, run again and killed again at the durable points of `txt add` and `txt del` through HTTP APIs, answers lost beside, and an API that loses a value
of others with the first set it is given: in the end one record of ours, then none, nothing of others changed, no row left open.

KILL_SEED repeats a choice, KILL_SECONDS (25) is the time for each API.
"""
import json
import os
import random
import sqlite3
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "clouds", "apis")]
from api import Api  # noqa: E402
from conform import Broken, Dns  # noqa: E402
from conform_cases import Provider, inside, secret_file  # noqa: E402

POINTS = 10  # of one command, and some
COMMITTING = """[provider]
summary = Records that take effect by a request of their own
links = https://example.net/
grade = A
plain = yes
url = ${key:url}
txt = quoted
names = relative
[key url]
type = url
required = yes
help = Address.
[read]
get = /zone/ZONE/record
query.name = ${relative}
each = /records
name = ./name
value = ./content
ref = ./id
ttl = ./ttl
[add]
post = /zone/ZONE/record
json = {"name": "${relative}", "content": "${value}", "ttl": "${ttl}"}
[delete]
delete = /zone/ZONE/record/${ref}
gone = 404
"""
SETS = COMMITTING[:COMMITTING.index("[read]")].replace("grade = A", "grade = B") + """[read]
get = /zone/ZONE/set
query.name = ${relative}
each = /sets
name = ./name
values = ./contents
value = .
ttl = ./ttl
[write]
put = /zone/ZONE/set
json = {"name": "${relative}", "contents": "${values}", "ttl": "${ttl}"}
"""
COMMIT = "[commit]\npost = /zone/ZONE/refresh\n"


class Staged(Api):
    """Takes equal records twice. With `commits` it serves what stood there at the last refresh."""
    routes = (("GET", "/zone/ZONE/record", "listing"), ("POST", "/zone/ZONE/record", "create"), ("DELETE", r"/zone/ZONE/record/(\d+)", "delete"),
              ("POST", "/zone/ZONE/refresh", "refresh"))

    def __init__(self, zone, commits):
        super().__init__(zone)
        self.commits, self.served = commits, []

    def listing(self, request):
        return 200, {"records": [{"id": r.id, "name": self.relative(r.owner), "content": self.show(r.strings), "ttl": r.ttl}
                                 for r in self.at(self.owner(request.query["name"]))]}

    def create(self, request):
        j = json.loads(request.body)
        return 201, {"id": self.keep(self.owner(j["name"]), j["ttl"], self.read(j["content"])).id}

    def delete(self, _, number):
        if not self.by_id(number):
            self.refuse(404, {"message": "no such record"})
        self.records = [r for r in self.records if str(r.id) != number]
        return 204, None

    def refresh(self, _):
        self.served = list(self.records)
        return 200, {}

    def put(self, owner, ttl, *values):
        super().put(owner, ttl, *values)
        self.served = list(self.records)

    def view(self):
        sets = super().view()
        if self.commits and [r.id for r in self.served] != [r.id for r in self.records]:
            raise Broken(f"{sets} is written, but not in effect")
        return sets


class Losing(Api):
    """Whole sets. While `loses` it drops the first value of a set that is written over, once."""
    routes = (("GET", "/zone/ZONE/set", "read_set"), ("PUT", "/zone/ZONE/set", "write_set"))
    loses = False

    def read_set(self, request):
        there = self.at(self.owner(request.query["name"]))
        return 200, {"sets": [{"name": request.query["name"], "contents": [self.show(r.strings) for r in there], "ttl": there[0].ttl}] if there else []}

    def write_set(self, request):
        j = json.loads(request.body)
        owner = self.owner(j["name"])
        lost = bool(self.loses and self.at(owner))
        self.loses = self.loses and not lost
        self.replace(owner, j["ttl"], [self.read(c) for c in j["contents"][lost:]])
        return 200, {}


def staged(name, number, api, text):
    folder = os.path.join(os.environ["LAB_DIR"], name)
    os.makedirs(os.path.join(folder, "providers"))
    with open(os.path.join(folder, "providers", name + ".ini"), "w", encoding="utf-8") as f:
        f.write(text.replace("ZONE", api.zone))
    api.serve(("192.0.2.81", number))
    return Provider(name, name, "url = http://GATE", api, ("192.0.2.81", number), http=True, path=folder)


def open_rows(p):
    con = sqlite3.connect(f"file:{p.agent.dir}/state/state.db?mode=ro", uri=True)
    rows = con.execute("select owner, cast(value as text), state, wanted from ledger where state not in ('gone', 'found')").fetchall()
    con.close()
    return rows


def until_through(p, chosen, *words):
    """Killed up to three times; says where."""
    places = []
    for _ in range(chosen.randrange(4)):
        n = chosen.randrange(1, POINTS)
        p.gate.lose_reply = chosen.random() < 0.3
        p.other.loses = chosen.random() < 0.7
        places.append(f"{n}{' reply lost' if p.gate.lose_reply else ''}")
        if not p.agent.killed(n, *words):
            break
    p.gate.lose_reply = chosen.random() < 0.2
    p.other.loses = False
    code, out = p.agent.run(*words)
    if code and not (words[1] == "del" and "NOT_OURS" in out):
        raise Broken(f"{words} killed at {places}: exit {code}: {out.strip()[-600:]}")
    return places


def rounds(p, seed):
    """Their number."""
    chosen, end, n = random.Random(f"{seed}{p.name}"), time.monotonic() + float(os.environ.get("KILL_SECONDS", "25")), 0
    owner = p.name_of("killed")
    p.other.put(owner, 300, (b"theirs",), (b"v=spf1 ", b"-all"))
    before = p.other.view()
    theirs = sorted(b"".join(v) for v in before[owner][1])
    while time.monotonic() < end or n < 3:
        n += 1
        value = f"ours {n}"
        places = until_through(p, chosen, "txt", "add", owner, value)
        now = sorted(b"".join(v) for v in p.other.view()[owner][1])
        if sorted(set(now)) != sorted(theirs + [value.encode()]):
            raise Broken(f"round {n}, add killed at {places}: {now}")
        places = until_through(p, chosen, "txt", "del", owner, value)
        p.same(before, f"round {n}, delete killed at {places}")
        if open_rows(p):
            raise Broken(f"round {n}: open rows: {open_rows(p)}")
    return n


def main():
    inside(__file__, "named", "pdns", "unbound", "zones=3")
    seed = os.environ.get("KILL_SEED") or str(random.SystemRandom().randrange(10**6))
    key = f"api_key_file = {secret_file('api.key', os.environ['LAB_API_KEY'])}"
    pdns = os.environ["LAB_PDNS"]
    providers = [Provider("powerdns", "powerdns", f"url = http://GATE\n{key}", Dns(pdns, "example.org"), (pdns, 8081), http=True),
                 staged("records-twice", 8301, Staged("z1.test", False), COMMITTING), staged("records-committed", 8302, Staged("z2.test", True), COMMITTING + COMMIT),
                 staged("sets-lost", 8303, Losing("z3.test"), SETS)]
    results = {}

    def play(p):
        try:
            results[p.name] = (True, f"{rounds(p, seed)} rounds")
        except Exception as fault:  # pylint: disable=broad-except
            results[p.name] = (False, f"{type(fault).__name__}: {fault}")
    threads = [threading.Thread(target=play, args=(p,)) for p in providers]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i, p in enumerate(providers, 1):
        good, said = results[p.name]
        print(f"{'ok' if good else 'not ok'} {i} - {p.name}: {said if good else ''}")
        if not good:
            print("# " + said.replace("\n", "\n# "))
    print(f"# KILL_SEED={seed}")
    print(f"1..{len(providers)}")
    return 0 if all(good for good, _ in results.values()) else 1


sys.exit(main())
