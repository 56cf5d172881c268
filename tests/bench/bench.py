"""What the measurements share: a configuration in a folder of its own, dcvagent under the meter, the person's part, tables."""
import os
import re
import shutil
import signal
import statistics
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
DCVAGENT = os.environ.get("DCVAGENT") or os.path.join(BUILD, "dcvagent")
METER = os.path.join(BUILD, "bench", "meter")
RESPONDER = os.path.join(BUILD, "bench", "responder")
LAB = os.path.join(TOP, "tests", "lab")


class Cost:
    """What one process cost: code, wall, cpu (s), rss, private (MB; private only if it was sampled)."""

    def __init__(self, text, out):
        code, wall, user, system, rss, private = text.split()
        self.code, self.wall, self.cpu = int(code), float(wall), float(user) + float(system)
        self.rss, self.private, self.out = int(rss) / 1024, int(private) / 1024, out


def metered(command, sample=False, codes=(0,), stdin=None, through=(), env=None):
    """Runs command under the meter, which `through` starts (a delay line). A code that was not expected ends the bench: a figure of a failed run is
    worth nothing."""
    r, w = os.pipe()
    stdin = subprocess.DEVNULL if stdin is None else stdin
    with subprocess.Popen([*through, METER] + (["-s"] if sample else []) + command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=lambda: os.dup2(w, 3, inheritable=True), close_fds=False, env=env) as child:
        os.close(w)
        out = child.stdout.read().decode("utf-8", "replace")
    with os.fdopen(r) as f:
        cost = Cost(f.read(), out)
    if codes is not None and cost.code not in codes:
        raise SystemExit(f"bench: exit code {cost.code}, expected {codes}: {' '.join(command)}\n{out[-3000:]}")
    return cost


def quiet(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False, **more)
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(command)}: {done.stdout.decode('utf-8', 'replace')[-2000:]}")
    return done.stdout.decode("utf-8", "replace")


class World:
    """One configuration and its state."""

    def __init__(self, name, text, verify="", keep=False):
        self.dir = os.path.join(os.environ["LAB_DIR"], name)
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir, exist_ok=True)
        self.conf = os.path.join(self.dir, "dcvagent.ini")
        self.state = os.path.join(self.dir, "state")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"[agent]\nstate_dir = {self.state}\nlog = {self.dir}/log\n"
                    f"[verify]\ndiscovery = {os.environ['LAB_UNBOUND']}\nsettle = 0s\ntimeout = 60s\n{verify}\n" + text)

    def command(self, *words):
        return [DCVAGENT, "--config", self.conf, *words]

    def run(self, *words, codes=(0,), sample=False):
        return metered(self.command(*words), sample, codes)

    def wind_up(self, sample=False):
        """Sections that are gone: one run removes the records of all of their orders."""
        with open(self.conf, "r+", encoding="utf-8") as f:
            text = f.read()
            f.seek(0)
            f.truncate()
            f.write(text[:text.index("[certificate")])
        return self.run("run", codes=(0, 75), sample=sample)


PROVIDER = """[provider bind]
type = rfc2136
server = {server}
zones = {zones}
tsig_key_file = {keys}/lab-key.key
[ca ecert]
type = manual
record = name
record_ttl = 60
"""


def provider_text(n_zones):
    zones = " ".join(f"z{i}.test" for i in range(1, n_zones + 1))
    return PROVIDER.format(server=os.environ["LAB_NAMED"], zones=zones, keys=os.environ["LAB_KEYS"])


API = """[provider pdns]
type = powerdns
url = http://{server}:8081
api_key_file = {key}
zones = {zones}
[ca ecert]
type = manual
record = name
record_ttl = 60
"""


def api_text(n_zones):
    key = os.path.join(os.environ["LAB_DIR"], "api.key")
    with open(os.open(key, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="ascii") as f:
        f.write(os.environ["LAB_API_KEY"])
    return API.format(server=os.environ["LAB_PDNS"], key=key, zones=" ".join(f"p{i}.test" for i in range(1, n_zones + 1)))


def orders_text(orders):
    """orders: {certificate: [names]}"""
    return "".join(f"[certificate {name}]\nca = ecert\nproduct = multi-domain\nkey_type = p256\nnames = {' '.join(names)}\n" for name, names in orders.items())


def names_of(order, count, n_zones, letter="z"):
    """count names spread evenly over the zones."""
    return [f"n{order}-{i}.{letter}{i % n_zones + 1}.test" for i in range(count)]


def to_code(world, orders, value):
    """Every order up to the point where its code is handed over: the next run publishes and verifies."""
    for name in orders:
        world.run("pin", name, "--reference", "123456789")
    world.run("run", codes=(75,))
    for name in orders:
        world.run("code", name, value)


def states(world):
    import json
    out = world.run("status", "--json").out
    return {c["name"]: f'{c["state"]} {c["waiting_for"]}' for c in json.loads(out)["certificates"]}


def must_be(world, wanted):
    wrong = {n: s for n, s in states(world).items() if s != wanted}
    if wrong:
        raise SystemExit(f"bench: wanted {wanted}, but {wrong}")


def forget(*resolvers):
    """Resolvers drop what they know of the bench's zones, so that each round asks anew."""
    for part in resolvers:
        quiet("unbound-control", "-q", "-c", os.path.join(os.environ[f"LAB_{part}_DIR"], "unbound.conf"), "flush_zone", "test")


class Counter:
    """UPDATEs as named itself counts them."""

    def __init__(self):
        self.dir = os.environ["LAB_NAMED_DIR"]

    def read(self):
        stats = os.path.join(self.dir, "named.stats")
        if os.path.exists(stats):
            os.remove(stats)
        quiet("rndc", "-c", os.path.join(self.dir, "rndc.conf"), "stats")
        for _ in range(200):
            if os.path.exists(stats):
                with open(stats, encoding="utf-8") as f:
                    text = f.read()
                if "--- Statistics Dump ---" in text.splitlines()[-1:][0]:
                    break
            time.sleep(0.01)
        part = text.split("++ Incoming Requests ++")[1].split("++ Incoming Queries ++")[0]
        found = re.search(r"(\d+) UPDATE", part)
        return int(found.group(1)) if found else 0


class Background:
    def __init__(self, command, ready=None, **more):
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        while ready is not None:
            line = self.child.stdout.readline().decode()
            if not line:
                raise SystemExit(f"bench: {command[0]} did not start")
            if ready in line:
                break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait()
        self.child.stdout.close()


def median(values):
    return statistics.median(values)


def table(title, head, rows):
    text = [[str(c) for c in r] for r in [head] + rows]
    width = [max(len(r[i]) for r in text) for i in range(len(head))]
    print(f"\n## {title}\n")
    for n, r in enumerate(text):
        print("| " + " | ".join(c.ljust(width[i]) if i == 0 else c.rjust(width[i]) for i, c in enumerate(r)) + " |")
        if n == 0:
            print("|" + "|".join("-" * (w + 2) for w in width) + "|")
    print(flush=True)


def s(seconds):
    return f"{seconds:.3f} s" if seconds >= 0.0995 else f"{seconds * 1000:.1f} ms"


def mb(x):
    return f"{x:.1f} MB"
