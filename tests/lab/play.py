"""A manual order of two certificates, played by a script: its steps, checkpoints between them, and what must hold in the end.

Used by kill.t and crash.t inside `tests/lab/up named unbound`. A checkpoint is the work folder (state, key backups, what hooks left) and the
records of ours in DNS; going back to one gives the next round a fresh world without a new lab.
"""
import os
import re
import shutil
import sqlite3
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVED = ("example.hk", "xn--i8s431aqn1ad1j.hk")
PATIENCE = 60

CONFIG = """[agent]
state_dir = {dir}/work/state
log = {dir}/log
key_backup_dir = {dir}/work/backup
key_backup_password_file = {dir}/password
[verify]
resolvers = {unbound}
discovery = {unbound}
settle = 0s
timeout = 30s
[provider bind]
type = rfc2136
server = {server}
zones = example.hk xn--i8s431aqn1ad1j.hk
tsig_key_file = {keys}/lab-key.key
[ca ecert]
type = manual
record = name
chain_files = {dir}/pki/new.pem {dir}/pki/root.pem
[certificate shop]
ca = ecert
product = multi-domain
names = www.example.hk example.hk 電子核證.hk
subject = C=HK, O=Example Limited
key_type = p256
deploy_check = /bin/true
deploy_hook = /usr/bin/touch {dir}/work/hooked
[certificate wild]
ca = ecert
product = wildcard
names = *.example.hk
key_type = p256
pfx = yes
pfx_password_file = {dir}/password
"""


class Broken(Exception):
    """Something that must hold does not."""


class Step:
    """One command of a person or of cron. may: codes that say that an earlier, killed try did it already."""

    def __init__(self, title, *words, may=()):
        self.title, self.words, self.may = title, words, may


def walk(cert_codes, first="run"):
    """The steps of a whole order: pin, code, confirm, submit, import, with a run after each."""
    steps = []

    def each(kind, *more, may=()):
        steps.extend(Step(f"{kind} {c}", kind, c, *[m(c) for m in more], may=may) for c in cert_codes)

    each("pin", lambda c: "--reference", lambda c: "123456789")
    steps.append(Step(f"{first} to the codes", "run"))
    each("code", cert_codes.get)
    steps.append(Step(f"{first} to the records", "run"))
    each("confirmed")
    steps.append(Step(f"{first} to the CSR", "run"))
    each("submitted")
    steps.append(Step(f"{first} to the wait for the certificate", "run"))
    each("import", lambda c: "FILE", may=("ALREADY_ISSUED",))
    steps.append(Step(f"{first} to the end", "run"))
    return steps


class Play:
    def __init__(self, server=None, program=None):
        self.dir = os.path.join(os.environ["LAB_DIR"], "play")
        self.work = os.path.join(self.dir, "work")
        self.state = os.path.join(self.work, "state")
        self.program = program or os.environ["DCVAGENT"]
        self.server = os.environ["LAB_NAMED"]
        self.certificates = {}
        os.makedirs(os.path.join(self.work, "backup"), 0o700)
        self.write("password", "four-words-of-a-test\n", 0o600)
        self.aim(server or self.server)
        self.tool("pki", "make", os.path.join(self.dir, "pki"), "p256")
        # The apex set has a TTL of a day; a resolver that keeps nothing lets rounds follow each other.
        subprocess.run(["unbound-control", "-q", "-c", os.path.join(os.environ["LAB_UNBOUND_DIR"], "unbound.conf"), "set_option", "cache-max-ttl:", "0"],
                       check=True)
        self.tool("invariants", "snapshot", os.path.join(self.dir, "before"))
        self.zones = {z: self.transfer(z) for z in SERVED}

    def aim(self, server):
        """Where UPDATEs go from now on."""
        self.write("dcvagent.ini", CONFIG.format(dir=self.dir, unbound=os.environ["LAB_UNBOUND"], server=server, keys=os.environ["LAB_KEYS"]))

    def write(self, name, text, mode=0o644):
        with open(os.open(os.path.join(self.dir, name), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w", encoding="utf-8") as f:
            f.write(text)

    def tool(self, name, *words):
        done = subprocess.run([os.path.join(HERE, name), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise Broken(f"{name}: {done.stdout.strip()}")
        return done.stdout

    # --- the program

    def command(self, *words):
        return [self.program, "--config", os.path.join(self.dir, "dcvagent.ini"), *words]

    def run(self, *words, **env):
        """(exit code, stdout, stderr)"""
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, **env}, timeout=PATIENCE, check=False)
        if "Sanitizer" in done.stderr or "runtime error:" in done.stderr:
            raise Broken("sanitizer report:\n" + done.stderr)
        return done.returncode, done.stdout, done.stderr

    def step(self, s, *options, **env):
        words = [self.certificate(s.words[1]) if w == "FILE" else w for w in s.words]
        return self.run(*options, *words, **env)

    def certificate(self, cert):
        """What the CA makes of the CSR that was handed to it: of one CSR, one certificate."""
        (csr,), = self.rows(f"select csr from orders where cert = '{cert}' and open")
        if csr not in self.certificates:
            path = os.path.join(self.dir, f"{cert}-{len(self.certificates)}")
            code, pem, err = self.run("csr", cert)
            if code:
                raise Broken(f"csr {cert}: exit {code}: {err}")
            with open(path + ".csr", "w", encoding="ascii") as f:
                f.write(pem)
            self.tool("pki", "issue", os.path.join(self.dir, "pki"), path + ".csr", path + ".crt", "199")
            self.certificates[csr] = path + ".crt"
        return self.certificates[csr]

    # --- the world

    def transfer(self, zone):
        out = subprocess.run(["dig", "+nocmd", "+nostats", "+nocomments", "+onesoa", "+time=5", f"@{self.server}", zone, "AXFR"], stdout=subprocess.PIPE,
                             text=True, check=True).stdout
        return {tuple(line.split(None, 4)) for line in out.splitlines() if line and not line.startswith(";") and "\tSOA\t" not in line}

    def records(self):
        """What stands in DNS beside the zones of the beginning: (zone, sign, line)."""
        own = set()
        for zone, before in self.zones.items():
            now = self.transfer(zone)
            own |= {(zone, "add", r) for r in now - before} | {(zone, "delete", r) for r in before - now}
        return own

    def put_records(self, wanted):
        now = self.records()
        for zone in self.zones:
            lines = []
            for change, undo in ((now - wanted, True), (wanted - now, False)):
                for where, sign, (owner, ttl, _, rtype, rdata) in change:
                    if where == zone:
                        adds = (sign == "add") != undo
                        lines.append(f"update add {owner} {ttl} {rtype} {rdata}" if adds else f"update delete {owner} {rtype} {rdata}")
            if lines:
                lines.sort(key=lambda line: line.startswith("update add"))
                text = f"server {self.server}\nzone {zone}\n" + "\n".join(lines) + "\nsend\n"
                subprocess.run(["nsupdate", "-v", "-k", os.path.join(os.environ["LAB_KEYS"], "admin-key.key")], input=text, text=True, check=True)

    def save(self, name):
        folder = os.path.join(self.dir, "saved", name)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.work, folder, symlinks=True)
        return folder, self.records(), self.facts()

    def restore(self, saved):
        shutil.rmtree(self.work)
        shutil.copytree(saved[0], self.work, symlinks=True)
        self.put_records(saved[1])

    # --- what the store says

    def rows(self, sql):
        path = os.path.join(self.state, "state.db")
        if not os.path.exists(path):
            return []
        con = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return con.execute(sql).fetchall()
        except sqlite3.OperationalError as fault:
            if "no such table" in str(fault):
                return []
            raise
        finally:
            con.close()

    def facts(self):
        """Where everything stands: equal after a step that went through and one that was killed and repeated."""
        return {"orders": self.rows("select cert, state, waits, open, sent, reference, length(csr) > 0 from orders order by cert, begun, id"),
                "ledger": self.rows("select cert, owner, cast(value as text), state, wanted from ledger where state <> 'gone' order by 1, 2, 3"),
                "inbox": self.rows("select kind, cert from inbox"),
                "live": {n: os.readlink(os.path.join(self.state, "live", n)) for n in sorted(os.listdir(os.path.join(self.state, "live")))}
                if os.path.isdir(os.path.join(self.state, "live")) else {}}

    def exposed(self):
        """Order and CSR of each order whose CSR is in the store: once there, a person may have seen it."""
        return dict(self.rows("select id, csr from orders where length(csr) > 0"))

    # --- what must hold

    def always(self, zones=True):
        """After every death, too."""
        faults = []
        for sent, order in self.rows("select sent, id from orders"):
            if sent and not os.path.exists(os.path.join(self.state, "keys", order + ".key")):
                faults.append(f"order {order} sent its CSR and has no key")
        live = os.path.join(self.state, "live")
        for name in os.listdir(live) if os.path.isdir(live) else []:
            for file in ("privkey.pem", "cert.pem", "chain.pem", "fullchain.pem", "evidence.json"):
                if not os.path.isfile(os.path.join(live, name, file)):
                    faults.append(f"live/{name} has no {file}")
        for zone, before in self.zones.items() if zones else ():
            faults += [f"lost: {' '.join(r)}" for r in before - self.transfer(zone)]
        if faults:
            raise Broken("; ".join(faults))

    def finally_(self, orders):
        """When all is over; orders: {cert: [states]} that the store must show, all closed."""
        faults = []
        found = {}
        for cert, state, is_open in self.rows("select cert, state, open from orders order by begun, id"):
            found.setdefault(cert, []).append(state + (" (open)" if is_open else ""))
        if found != orders:
            faults.append(f"orders {found}, wanted {orders}")
        ids = {i for (i,) in self.rows("select id from orders where length(csr) > 0")}
        keys = set(os.listdir(os.path.join(self.state, "keys")))
        if keys != {i + ".key" for i in ids}:
            faults.append(f"keys {sorted(keys)} for the orders {sorted(ids)}")
        if self.rows("select 1 from inbox"):
            faults.append("the inbox is not empty")
        if self.rows("select 1 from certs where hook_due"):
            faults.append("a deploy hook is still due")
        for cert, states in orders.items():
            faults += self.archive(cert, states.count("done"))
        if "shop" in orders and "done" in orders["shop"] and not os.path.exists(os.path.join(self.work, "hooked")):
            faults.append("the deploy hook has not run")
        try:
            self.tool("invariants", "check", os.path.join(self.dir, "before"), self.state)
        except Broken as broken:
            faults.append(str(broken))
        if faults:
            raise Broken("; ".join(faults))

    def archive(self, cert, sets):
        folder = os.path.join(self.state, "archive", cert)
        there = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        if there != [str(n + 1) for n in range(sets)]:
            yield f"archive/{cert} holds {there}, wanted {sets} sets"
        live = os.path.join(self.state, "live", cert)
        if sets and os.readlink(live) != f"../archive/{cert}/{sets}":
            yield f"live/{cert} -> {os.readlink(live)}, wanted set {sets}"
        if sets:
            with open(os.path.join(live, "evidence.json"), encoding="utf-8") as f:
                if not re.search(r'"deleted"|"gone"', f.read()):
                    yield f"live/{cert}/evidence.json does not say that the records are gone"


def eventually(seconds, what):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
