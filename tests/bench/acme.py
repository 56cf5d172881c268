"""A certificate from pebble, with every server 50 ms away and with none: dcvagent, and lego, certbot and uacme on the same names in the same lab."""
import os
import re
import shutil
import subprocess

import bench
from bench import BUILD, Counter, World, forget, mb, median, metered, names_of, provider_text, quiet, s, table

ZONES = 10
RTT = 50
ROUNDS = 5
TRIPS = 14  # CA name, TCP, TLS, directory, nonce, order, authorizations, UPDATE, check, challenges, poll, finalize, poll, certificate
DELAY = os.path.join(BUILD, "bench", "delay")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PORT = "14000"


def tsig():
    """Name and secret of the lab's key, as the peers want them."""
    with open(os.path.join(os.environ["LAB_KEYS"], "lab-key.key"), encoding="ascii") as f:
        text = f.read()
    return re.search(r'key "?([\w-]+)"?', text).group(1), re.search(r'secret "([^"]+)"', text).group(1)


def folder(name):
    path = os.path.join(os.environ["LAB_DIR"], "acme-bench", name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def write(path, text, mode=0o600):
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w", encoding="utf-8") as f:
        f.write(text)
    return path


# --- who takes part: each has start(), which registers an account, and command(names) ------------------------------------------------------

class Ours:
    name, env = "dcvagent", None

    def start(self):
        shutil.rmtree(os.path.join(os.environ["LAB_DIR"], "acme-ours"), ignore_errors=True)
        quiet(*self.world([]).command("account", "pebble"))

    def world(self, orders):
        """A configuration with these certificates. The state, and with it the account, stays."""
        text = provider_text(ZONES) + (f"[ca pebble]\ntype = acme\ndirectory = {os.environ['LAB_PEBBLE_DIRECTORY']}\n"
                                       f"ca_file = {os.environ['LAB_PEBBLE_CA']}\naccept_terms = yes\n")
        text += "".join(f"[certificate c{i}]\nca = pebble\nkey_type = p256\nnames = {' '.join(n)}\n" for i, n in enumerate(orders))
        return World("acme-ours", text, "resolvers = none", keep=True)

    def command(self, names):
        return self.many([names])

    def many(self, orders):
        return self.world(orders).command("run", "--force", "--all")


class Lego:
    name = "lego"

    def __init__(self):
        key, secret = tsig()
        self.env = {"LEGO_CA_CERTIFICATES": os.environ["LAB_PEBBLE_CA"], "RFC2136_NAMESERVER": os.environ["LAB_NAMED"] + ":53",
                    "RFC2136_TSIG_ALGORITHM": "hmac-sha256.", "RFC2136_TSIG_KEY": key, "RFC2136_TSIG_SECRET": secret, "RFC2136_TTL": "60",
                    "RFC2136_POLLING_INTERVAL": "1", "RFC2136_SEQUENCE_INTERVAL": "0"}

    def start(self):
        self.dir = folder("lego")
        quiet(*self.command(["account.z1.test"]), env={**os.environ, **self.env})

    def command(self, names):
        domains = [w for n in names for w in ("-d", n)]
        return ["lego", "--accept-tos", "--email", "hostmaster@example.hk", "--server", os.environ["LAB_PEBBLE_DIRECTORY"], "--path", self.dir,
                "--key-type", "ec256", "--dns", "rfc2136", "--dns.resolvers", os.environ["LAB_UNBOUND"] + ":53", *domains, "run"]


class Certbot:
    name = "certbot"

    def __init__(self):
        self.env = {"REQUESTS_CA_BUNDLE": os.environ["LAB_PEBBLE_CA"]}

    def options(self):
        return ["--config-dir", self.dir, "--work-dir", self.dir, "--logs-dir", self.dir, "--server", os.environ["LAB_PEBBLE_DIRECTORY"],
                "--non-interactive", "--agree-tos", "--no-random-sleep-on-renew"]

    def start(self):
        self.dir = folder("certbot")
        key, secret = tsig()
        self.credentials = write(os.path.join(self.dir, "rfc2136.ini"),
                                 f"dns_rfc2136_server = {os.environ['LAB_NAMED']}\ndns_rfc2136_name = {key}\ndns_rfc2136_secret = {secret}\n"
                                 "dns_rfc2136_algorithm = HMAC-SHA256\n")
        quiet("certbot", "register", *self.options(), "--register-unsafely-without-email", env={**os.environ, **self.env})

    def command(self, names):
        return ["certbot", "certonly", *self.options(), "--key-type", "ecdsa", "--dns-rfc2136", "--dns-rfc2136-credentials", self.credentials,
                "--dns-rfc2136-propagation-seconds", "0", *[w for n in names for w in ("-d", n)]]


HOOK = """#!/bin/sh
# METHOD TYPE IDENT TOKEN AUTH
[ "$2" = dns-01 ] || exit 1
name=_acme-challenge.$3
case $1 in begin) verb="update add $name. 60 TXT $5" ;; *) verb="update delete $name. TXT $5" ;; esac
printf 'server {server}\\nzone %s\\n%s\\nsend\\n' "${{3#*.}}" "$verb" | nsupdate -k {key} || exit 1
[ "$1" != begin ] || until dig +short @{server} "$name" TXT | grep -qF -e "$5"; do sleep 1; done
"""


class Uacme:
    name, env = "uacme", None

    def options(self):
        return ["uacme", "--confdir", self.dir, "--acme-url", os.environ["LAB_PEBBLE_DIRECTORY"], "--yes", "--type", "EC", "--bits", "256"]

    def start(self):
        self.dir = folder("uacme")
        self.hook = write(os.path.join(self.dir, "hook"), HOOK.format(server=os.environ["LAB_NAMED"], key=os.environ["LAB_KEYS"] + "/lab-key.key"), 0o755)
        quiet(*self.options(), "new")

    def command(self, names):
        return [*self.options(), "--hook", self.hook, "issue", *names]


# --- what is measured ------------------------------------------------------------------------------------------------------------------------

def trusted():
    """uacme knows no way to name a root: the lab's is put among the system's, within the lab's own mount namespace."""
    with open(BUNDLE, encoding="ascii") as f, open(os.environ["LAB_PEBBLE_CA"], encoding="ascii") as own:
        path = write(os.path.join(os.environ["LAB_DIR"], "bundle.pem"), f.read() + own.read(), 0o644)
    quiet("mount", "--bind", path, BUNDLE)


class Asked:
    """Requests, as pebble logs them."""

    def __init__(self):
        self.path = os.path.join(os.environ["LAB_DIR"], "log", "pebble.log")

    def read(self):
        with open(self.path, encoding="utf-8", errors="replace") as f:
            return sum("-> calling handler" in line for line in f)


def run_time(part):
    """CPU seconds that a server has used, of all its threads."""
    ns, tasks = 0, f"/proc/{os.environ[f'LAB_{part}_PID']}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/schedstat", encoding="ascii") as f:
            ns += int(f.read().split()[0])
    return ns / 1e9


def connections(path):
    with open(path, encoding="ascii") as f:
        return sum(int(line.split()[1]) for line in f if line.split()[0].endswith(":" + PORT))


def measure_one(client, command, rtt, codes=(0,)):
    """One command: its cost, and what the servers saw of it."""
    counts = os.path.join(os.environ["LAB_DIR"], "counts")
    asked, updates = Asked(), Counter()
    forget("UNBOUND", "PEBBLEDNS")
    before = asked.read(), updates.read(), run_time("PEBBLE")
    cost = metered(command, codes=codes, through=[DELAY, "-c", counts, str(rtt)] if rtt else [], env=client.env and {**os.environ, **client.env})
    cost.ca = run_time("PEBBLE") - before[2]
    cost.requests, cost.updates = asked.read() - before[0], updates.read() - before[1]
    cost.connections = connections(counts) if rtt else 0
    return cost


def row(label, costs, best, extra=()):
    wall = median(c.wall for c in costs)
    few = ["/".join(map(str, sorted({getattr(c, f) for c in costs}))) for f in ("requests", "connections", "updates")]
    return [label, s(wall), s(median(c.cpu for c in costs)), mb(max(c.rss for c in costs)), *few, *extra, f"{wall / best:.1f}"]


def names_for(serial, count):
    return names_of(f"a{serial}x", count, ZONES)


def far_away(peers):
    rows, serial, trip = [], 0, RTT / 1000
    for count in (1, 10, 100):
        best = None
        for client in [Ours()] + peers:
            if client.name != "dcvagent" and count == 100 and not os.environ.get("BENCH_ALL"):
                continue
            costs = []
            for _ in range(ROUNDS if client.name == "dcvagent" else 1):
                serial += 1
                client.start()
                costs.append(measure_one(client, client.command(names_for(serial, count)), RTT))
            best = best or median(c.wall for c in costs)
            rows.append(row(f"{count}, {client.name}", costs, best, [f"{median(c.wall for c in costs) / (TRIPS * trip):.2f}"]))
    table(f"One certificate, every server {RTT} ms away, account existing; medians of {ROUNDS} (peers: once); trips: wall / {TRIPS * trip:.2f} s",
          ["names", "wall", "CPU", "RSS", "requests", "TCP to CA", "UPDATEs", "trips", "wall / ours"], rows)


def own_pebble(port):
    """Each round has a CA of its own: pebble 2.4.0 locks itself up now and then when several orders are made side by side (two locks taken in
    either order, FindValidAuthorization and Authz). A round in which it stands still is said, and repeated."""
    at = f"{os.environ['LAB_PEBBLE']}:{port}"
    log = os.path.join(os.environ["LAB_DIR"], "log", "pebble.log")
    child = bench.Background([os.path.join(os.environ["LAB_PEBBLE_DIR"], "run"), at, "plain"], "ACME directory")
    drain = subprocess.Popen(["cat"], stdin=child.child.stdout, stdout=open(log, "a", encoding="utf-8"))
    os.environ.update(LAB_PEBBLE_DIRECTORY=f"https://pebble.lab.test:{port}/dir", LAB_PEBBLE_PID=str(child.child.pid))
    return child, drain


def round_at_hand(lists, port):
    was = os.environ["LAB_PEBBLE_DIRECTORY"], os.environ["LAB_PEBBLE_PID"]
    child, drain = own_pebble(port)
    try:
        client = Ours()
        client.start()
        return measure_one(client, client.many(lists) + ["--deadline", "15s"], 0, codes=None)
    finally:
        child.__exit__()
        drain.wait()
        os.environ.update(LAB_PEBBLE_DIRECTORY=was[0], LAB_PEBBLE_PID=was[1])


def at_hand():
    """No delay: beside what pebble itself needs."""
    rows, stuck, port = [], 0, 14010
    for label, orders in (("1 x 100 names", 1), ("10 x 100 names", 10)):
        costs = []
        while len(costs) < ROUNDS:
            port += 1
            cost = round_at_hand([names_for(f"h{port}-{k}", 100) for k in range(orders)], port)
            if cost.code == 0:
                costs.append(cost)
            elif orders == 1 or (stuck := stuck + 1) > 10:
                raise SystemExit(f"bench: exit code {cost.code}\n{cost.out[-2000:]}")
        wall, ca = median(c.wall for c in costs), median(c.ca for c in costs)
        rows.append([label, s(wall), s(ca), f"{wall / ca:.2f}", s(median(c.cpu for c in costs)), mb(max(c.rss for c in costs)),
                     "/".join(map(str, sorted({c.requests for c in costs}))), "/".join(map(str, sorted({c.updates for c in costs})))])
    table(f"No delay; pebble: the CPU time of pebble itself (all its threads) during the run; medians of {ROUNDS}; pebble locked itself up in {stuck} "
          "more rounds",
          ["orders at once", "wall", "pebble", "wall / pebble", "CPU", "RSS", "requests", "UPDATEs"], rows)


def measure():
    if not os.path.exists("/dev/net/tun"):
        raise SystemExit("bench: /dev/net/tun is missing: the delay line needs it")
    trusted()
    at_hand()
    far_away([p() for p in (Lego, Certbot, Uacme) if shutil.which(p.name)])
