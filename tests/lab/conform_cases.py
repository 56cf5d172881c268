"""What each provider promises (providers/provider.h), played through the agent against a server that is real where there is one.

Somebody else writes in the same zone, by a way of their own, before, between and after. What is seen gives the grade of providers.md:
    A  values of others survive, even those written between our read and our write
    B  values of others survive, but for those
    C  the same, but the provider cannot read: nothing would be noticed
    D  values of others get lost
A provider whose grade is not the one it claims fails. conform*.t list them, one a line; CONFORM_ONLY=NAME plays one.
Each writes its table to docs/PROVIDERS.md (between marks of its name), where that can be written.
"""
import fcntl
import os
import re
import subprocess
import threading
import time

from conform import DESCRIPTIONS, Agent, Broken, Gate, moved

HERE = os.path.dirname(os.path.abspath(__file__))
AT_ONCE, MANY = 6, 250
RICH = [  # values of others that break careless code
    (b"v=DKIM1; k=rsa; p=" + b"A" * 230, b"tail", b""),
    (b"quote \" backslash \\ semicolon ; dollar $ at @ paren (",),
    ("電子核證 – ünïcode".encode(), b"\x00\x01\x7f\x80\xff"),
    (b"x" * 255, b"y" * 255, b"z" * 17),
    (b"v=spf1 -all",),
]
OURS = [b'a"b;c\\d (e) $f @ \t \xe4\xb8\xad\xe6\x96\x87 \\000', b"x" * 255, b"y" * 256, b"z" * 600, b"_dcv=0123456789abcdef", b"_DCV=0123456789ABCDEF"]


def env_file(name, server):
    """Of a program that writes by nsupdate (docs/HOOKS.md)."""
    return secret_file(re.sub(r"\W+", "-", name) + ".env", f"NSUPDATE_SERVER={server}\nNSUPDATE_OPTIONS=-k {os.environ['LAB_KEYS']}/lab-key.key")


def joined(entry):
    return [b"".join(v) for v in entry[1]] if entry else []


class Provider:
    """name: as in the table; kind: its type; section: its keys, with GATE where the server's address goes; other: who else writes there;
    server: (address, port); http: speaks HTTP; claim: its grade where that is not the type's own; path: conf_path; alone: a lock of those who
    must not play at the same time."""

    def __init__(self, name, kind, section, other, server, http=False, claim=None, path=DESCRIPTIONS, alone=None):
        self.name, self.kind, self.other, self.zone, self.claim, self.alone = name, kind, other, other.zone, claim, alone or threading.Lock()
        self.port = Provider.ports = getattr(Provider, "ports", 5300) + 1
        self.gate = Gate(("192.0.2.80", self.port), server, http, other.is_write)
        section = section.replace("GATE", f"192.0.2.80:{self.port}").replace("ENV_FILE", env_file(name, f"192.0.2.80 {self.port}"))
        self.agent = Agent(name, f"type = {kind}\nzones = {self.zone}\n{section}", path)
        self.lost, self.raced, self.rows = False, False, {}
        self.rich = [v for v in RICH if other.carries(b"".join(v))]

    def name_of(self, label):
        return f"{label}.{self.zone}"

    def at(self, owner):
        return self.other.view().get(owner)

    def same(self, before, what):
        now = self.other.view()
        if now != before:
            gone = [f"{o} {before[o]} -> {now.get(o)}" for o in before if now.get(o) != before[o]] + [f"new: {o} {now[o]}" for o in now if o not in before]
            raise Broken(f"{what}: {gone}")

    def kept(self, owner, before, what):
        """Values and TTL of others at owner are what they were; else they were lost."""
        ttl, values = self.at(owner) or (0, [])
        missing = [v for v in before[1] if v not in values]
        if missing or ttl != before[0]:
            self.lost = self.lost or bool(missing)
            raise Broken(f"{what}: lost {missing}, TTL {before[0]} -> {ttl}")

    # --- the cases

    def case_fresh_name(self):
        owner, before = self.name_of("c-fresh"), self.other.view()
        self.agent.add(owner, b"fresh", "--ttl", "120")
        if self.at(owner) != (self.other.ttl(120), [(b"fresh",)]):
            raise Broken(f"added: {self.at(owner)}")
        self.agent.delete(owner, b"fresh")
        self.same(before, "after the delete")

    def case_second_value(self):
        owner, before = self.name_of("_c-two.deep"), self.other.view()
        self.agent.add(owner, b"one", "--ttl", "120")
        self.agent.add(owner, b"two", "--ttl", "300")
        if self.at(owner) != (self.other.ttl(120), [(b"one",), (b"two",)]):
            raise Broken(f"both: {self.at(owner)}")
        self.agent.delete(owner, b"one")
        if self.at(owner) != (self.other.ttl(120), [(b"two",)]):
            raise Broken(f"one of them deleted: {self.at(owner)}")
        self.agent.delete(owner, b"two")
        self.same(before, "after both deletes")

    def case_foreign_kept_on_add(self):
        owner = self.name_of("c-kept")
        self.other.put(owner, 1800, *self.rich)
        self.stood = before = self.at(owner)
        self.agent.add(owner, b"beside")
        self.kept(owner, before, "add")
        if b"beside" not in joined(self.at(owner)):
            raise Broken("ours is not there")

    def case_foreign_kept_on_delete(self):
        owner = self.name_of("c-kept")
        before = self.stood
        self.agent.delete(owner, b"beside")
        self.kept(owner, before, "delete")
        if self.at(owner) != before:
            raise Broken(f"{self.at(owner)}")

    def case_same_value_of_others(self):
        owner = self.name_of("c-found")
        self.other.put(owner, 600, (b"theirs",))
        before = self.other.view()
        if "found" not in self.agent.add(owner, b"theirs"):
            raise Broken("a value of others is taken for ours")
        self.agent.delete(owner, b"theirs")
        self.same(before, "their value was deleted")

    def case_quoting_and_length(self):
        owner, before = self.name_of("c-odd"), self.other.view()
        held = [v for v in OURS if self.other.carries(v)]
        for value in OURS:
            if value in held:
                self.agent.add(owner, value)
            elif not self.agent.run("txt", "add", owner, value)[0]:
                raise Broken(f"said to be added, which is impossible: {value}")
            else:
                self.agent.delete(owner, value)
        if sorted(joined(self.at(owner))) != sorted(held):
            raise Broken(f"{self.at(owner)}")
        for value in OURS:
            if value in held:
                self.agent.delete(owner, value)
        self.same(before, "after the deletes")
        return "yes" if held == OURS else "as far as it can"

    def case_delete_twice(self):
        owner, before = self.name_of("c-twice"), self.other.view()
        self.agent.add(owner, b"twice")
        self.other.drop(owner, (b"twice",))
        self.agent.delete(owner, b"twice")
        self.same(before, "after the delete")

    def case_apex(self):
        before = self.other.view()
        self.agent.add(self.zone, b"apex")
        if self.zone in before:
            self.kept(self.zone, before[self.zone], "add")
        if b"apex" not in joined(self.at(self.zone)):
            raise Broken("ours is not there")
        self.agent.delete(self.zone, b"apex")
        self.same(before, "after the delete")

    def case_two_writers(self):
        """Somebody writes at the same name between our read and our write. Which of both survives is the grade, not a fault; ours must."""
        owner = self.name_of("c-race")
        self.other.put(owner, 300, (b"old",))
        self.gate.before_write = lambda: self.other.put(owner, 300, (b"rival-1",))
        self.agent.add(owner, b"ours")
        now = joined(self.at(owner))
        self.raced = b"rival-1" not in now
        if b"ours" not in now or b"old" not in now:
            raise Broken(f"add: {now}")
        self.gate.before_write = lambda: self.other.put(owner, 300, (b"rival-2",))
        self.agent.delete(owner, b"ours")
        now = joined(self.at(owner))
        self.raced = self.raced or b"rival-2" not in now
        if b"ours" in now or b"old" not in now:
            raise Broken(f"delete: {now}")
        return "kept" if not self.raced else "the other one's is lost"

    def case_reply_lost(self):
        owner, before = self.name_of("c-lost"), self.other.view()
        self.gate.lose_reply = True
        self.agent.add(owner, b"lost")
        if joined(self.at(owner)) != [b"lost"]:
            raise Broken(f"{self.at(owner)}")
        self.gate.lose_reply = True
        self.agent.delete(owner, b"lost")
        self.same(before, "after the delete")

    def case_partial_failure(self):
        """Three names in one batch; at the second a CNAME appears before the write: the others are written."""
        names = [self.name_of(f"c-part{i}") for i in range(3)]
        before = self.other.view()
        points = self.agent.points("txt", "add", self.name_of("c-part9"), "part")
        self.agent.delete(self.name_of("c-part9"), b"part")
        sent = next(i for i, p in enumerate(points) if p in ("update", "api", "program"))  # the intent is committed at the point before
        for owner in names[:2]:
            if not self.agent.killed(sent, "txt", "add", owner, "part"):
                raise Broken("not killed before the write")
        self.same(before, "killed before the write")
        self.gate.before_write = lambda: self.other.cname(names[1], True)
        self.agent.add(names[2], b"part")
        now = self.other.view()
        try:
            if joined(now.get(names[0])) != [b"part"] or joined(now.get(names[2])) != [b"part"] or names[1] in now:
                raise Broken(f"{[now.get(n) for n in names]}")
        finally:
            self.other.cname(names[1], False)
            for owner in names:
                self.agent.run("txt", "del", owner, "part")
        self.same(before, "after the deletes")

    def case_crash_between(self):
        owner = self.name_of("c-crash")
        self.other.put(owner, 300, (b"theirs",))
        before, n = self.other.view(), 0
        died = True
        while died:
            n += 1
            died = self.agent.killed(n, "txt", "add", owner, "crash")
            self.agent.add(owner, b"crash")
            if sorted(joined(self.at(owner))) != [b"crash", b"theirs"]:
                raise Broken(f"add killed at point {n}: {self.at(owner)}")
            died = self.agent.killed(n, "txt", "del", owner, "crash") or died
            code, out = self.agent.run("txt", "del", owner, "crash")
            if code and "NOT_OURS" not in out:
                raise Broken(f"delete killed at point {n}: exit {code}: {out}")
            self.same(before, f"delete killed at point {n}")
        if n < 3:
            raise Broken("there are no durable points: is this the test build?")
        return f"{n - 1} points"

    def case_many_sets(self):
        """More sets than an API gives on one page."""
        others = {self.name_of(f"c-many{i:03}"): (b"theirs", b"%d" % i) for i in range(MANY)}
        before = self.other.view()
        self.other.fill(others)
        full = self.other.view()
        for owner in (min(others), max(others)):
            self.agent.add(owner, b"ours")
            if sorted(joined(self.at(owner))) != sorted([b"ours", b"".join(others[owner])]):
                raise Broken(f"add at {owner}: {self.at(owner)}")
            self.agent.delete(owner, b"ours")
        self.same(full, "after the deletes")
        self.other.empty(others)
        self.same(before, "after all")

    def case_rate_limit(self):
        if not self.gate.http:
            return "-"
        owner, before, writes = self.name_of("c-rate"), self.other.view(), self.gate.writes
        self.gate.throttle = True
        self.agent.add(owner, b"rate")
        if joined(self.at(owner)) != [b"rate"] or self.gate.writes != writes + 2:
            raise Broken(f"{self.at(owner)} after {self.gate.writes - writes} writes")
        self.agent.delete(owner, b"rate")
        self.same(before, "after the delete")
        return "waits"

    def play(self):
        for case in CASES:
            try:
                self.rows[case] = (True, getattr(self, "case_" + case)() or "yes")
            except (Broken, subprocess.SubprocessError) as fault:
                self.rows[case] = (False, str(fault))
            self.gate.before_write, self.gate.lose_reply, self.gate.throttle = None, False, False

    def grade(self):
        """(measured, claimed)"""
        claimed, caps = self.agent.claims(self.kind)
        if self.lost is False and not all(self.rows[case][0] for case in ("foreign_kept_on_add", "foreign_kept_on_delete", "two_writers")):
            measured = "none"
        elif self.lost:
            measured = "D"
        elif "read" not in caps:
            measured = "C"
        else:
            measured = "B" if self.raced else "A"
        return measured, self.claim or claimed


CASES = [n[5:] for n in vars(Provider) if n.startswith("case_")]


def table(played):
    """Markdown: case by provider."""
    lines = ["| case | " + " | ".join(p.name for p in played) + " |", "| --- |" + " --- |" * len(played)]
    for case in CASES:
        cells = [p.rows[case][1] if p.rows[case][0] else "**no**" for p in played]
        lines.append(f"| {case.replace('_', ' ')} | " + " | ".join(cells) + " |")
    lines.append("| **grade** | " + " | ".join(f"**{p.grade()[0]}**" for p in played) + " |")
    return "\n".join(lines) + "\n"


def write_table(name, text):
    path = os.path.join(HERE, "..", "..", "docs", "PROVIDERS.md")
    begin, end = f"<!-- conformance: {name} -->\n", f"<!-- /conformance: {name} -->\n"
    if not os.path.exists(path) or not os.access(path, os.W_OK):
        return
    with open(path, "r+", encoding="utf-8") as f:
        fcntl.flock(f, fcntl.LOCK_EX)  # the other lists of providers may be at it too
        old = f.read()
        if begin not in old or end not in old:
            return
        new = old[:old.index(begin)] + begin + "\n" + text + "\n" + old[old.index(end):]
        if new != old:
            f.seek(0)
            f.write(new)
            f.truncate()


def inside(script, *parts):
    """Runs the script in a lab with these parts, if it is not in one."""
    os.environ.setdefault("DCVAGENT", os.path.join(HERE, "..", "..", "build", "test", "dcvagent"))
    if "LAB_DIR" not in os.environ:
        os.execv(os.path.join(HERE, "up"), [os.path.join(HERE, "up"), *parts, "--", os.path.abspath(script)])


def secret_file(name, text):
    """Its path."""
    path = os.path.join(os.environ["LAB_DIR"], name)
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="ascii") as f:
        f.write(text + "\n")
    return path


def described(kind, api, keys, other=None, claim=None):
    """A shipped description against a simulated API, which is somebody else too, if nobody is named. keys: lines of the section; SECRET is the file with
    its secret, GATE the address."""
    number = described.last = getattr(described, "last", 8000) + 1
    api.serve(("192.0.2.81", number))
    path = moved(kind, os.path.join(os.environ["LAB_DIR"], "moved-" + kind))
    section = keys.replace("SECRET", secret_file("secret", "secret-of-the-lab"))
    section += "" if "GATE" in section else "\ngate = http://GATE"
    return Provider(kind, kind, section, other or api, ("192.0.2.81", number), http=True, claim=claim, path=path)


def main(name, providers):
    """Plays them; writes the table of that name."""
    only = os.environ.get("CONFORM_ONLY")
    all_ = [p for p in providers if not only or only in p.name]
    turn, began = threading.Semaphore(AT_ONCE), time.monotonic()

    def play(p):
        with p.alone, turn:
            p.play()
    threads = [threading.Thread(target=play, args=(p,)) for p in all_]
    for t in threads:
        t.start()
    n = bad = 0
    for p, t in zip(all_, threads):
        t.join()
        measured, claimed = p.grade()
        rows = [(good, f"{case.replace('_', ' ')}{': ' + said if good and said not in ('yes', '-') else ''}", said) for case, (good, said) in p.rows.items()]
        rows.append((measured == claimed, f"grade {measured}, claimed {claimed}", f"measured {measured}, claimed {claimed}"))
        for good, what, said in rows:
            n += 1
            bad += not good
            print(f"{'ok' if good else 'not ok'} {n} - {p.name}: {what}")
            if not good:
                print("# " + said.replace("\n", "\n# "), flush=True)
    print(f"# {time.monotonic() - began:.0f} s")
    if not only and not bad:
        write_table(name, table(all_))
    print(f"1..{n}")
    return 1 if bad else 0


