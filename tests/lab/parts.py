"""The servers of the lab: each part writes its configuration below lab.dir and is started in the foreground."""
import json
import os
import shutil
import subprocess

import zones

KEYS = {  # name -> (algorithm, secret, what it may do on every server unless told otherwise)
    "lab-key": ("hmac-sha256", "bGFiLWtleSBvZiB0aGUgZGN2YWdlbnQgbGFiLCAzMiE="),
    "sha384-key": ("hmac-sha384", "c2hhMzg0LWtleSBvZiB0aGUgZGN2YWdlbnQgbGFiLCBmb3J0eS1laWdodCBvY3RldHMhIQ=="),
    "sha512-key": ("hmac-sha512", "c2hhNTEyLWtleSBvZiB0aGUgZGN2YWdlbnQgbGFiLCBzaXh0eS1mb3VyIG9jdGV0cyBpbiBpdCwgdG9sZCBhbmQgY291bnRlZCE="),
    "narrow-key": ("hmac-sha256", "bmFycm93LWtleTogb25seSB3d3cuZXhhbXBsZS5oayE="),
    "admin-key": ("hmac-sha256", "YWRtaW4ta2V5IG9mIHRoZSBkY3ZhZ2VudCBsYWIsIDMyIQ=="),
    "stranger-key": ("hmac-sha256", "c3RyYW5nZXIta2V5LCB1bmtub3duIHRvIGFsbCBob3N0cyE="),
}
UPDATERS = ["lab-key", "sha384-key", "sha512-key"]
API_KEY = "lab-api-key-7c1e5f0a"


def key_text(name):
    algorithm, secret = KEYS[name]
    return f'key "{name}" {{\n\talgorithm {algorithm};\n\tsecret "{secret}";\n}};\n'


def binary(lab, name):
    """A copy outside the system's folders: AppArmor profiles go by path and would forbid the lab's configuration."""
    real = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")
    if not real:
        lab.die(f"{name} is not installed: make deps-test")
    if not os.path.isdir("/sys/kernel/security/apparmor"):
        return real
    copy = os.path.join(lab.dir, "bin", name)
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    shutil.copy2(real, copy)
    return copy


class Part:
    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.dir = os.path.join(lab.dir, name)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def certificate(self, host):
        """tls.key, tls.pem for the name and the address, signed by a CA of its own, ca.pem: what ca_file is for."""
        names = f"subjectAltName=DNS:{host},IP:{self.lab.address(self.name)}"
        self.write("ext", f"basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n{names}\n")
        curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        for command in (f"req -x509 {curve} -keyout ca.key -out ca.pem -days 30 -subj /CN={self.name}-lab-ca",
                        f"req -new {curve} -keyout tls.key -out tls.csr -subj /CN={host}",
                        "x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 30 -extfile ext -out tls.pem"):
            subprocess.run(["openssl"] + command.split(), cwd=self.dir, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listen(self):
        return [self.lab.address(self.name)] + ([self.lab.address6(self.name)] if self.lab.ipv6 else [])

    def prepare(self):
        """Writes the configuration; returns the command to run."""
        raise NotImplementedError

    def tcp(self):
        """(address, port) that must accept connections before the lab is ready; None: none."""
        return None

    def environment(self):
        """What COMMAND sees of it besides its address."""
        return {}

    def ready(self):
        """(zone, wants_authority) that proves it answers."""
        raise NotImplementedError

    def answers(self):
        """Of a part that is no name server, whose ready() is (None, False): whether it answers."""
        return True


class Named(Part):
    """Primary (named) and secondary (named2) of the primary zones."""

    def prepare(self):
        lab = self.lab
        v4 = lab.address(self.name)
        v6 = lab.address6(self.name)
        text = "".join(key_text(k) for k in KEYS if k != "stranger-key")
        text += f'''
options {{
    directory "{self.dir}"; pid-file "{self.dir}/named.pid"; session-keyfile "{self.dir}/session.key"; lock-file none;
    listen-on {{ {v4}; }}; listen-on-v6 {{ {v6 + ";" if lab.ipv6 else "none;"} }};
    query-source address {v4}; notify-source {v4}; transfer-source {v4};
    recursion no; dnssec-validation no; minimal-responses no; allow-transfer {{ any; }}; allow-query {{ any; }};
    notify explicit; notify-delay 0; serial-query-rate 1000; notify-rate 1000; startup-notify-rate 1000; max-records-per-type 100; empty-zones-enable no;
    transfers-in 100; transfers-per-ns 100; max-journal-size 1m;
}};
controls {{ inet 127.0.0.1 port {953 if self.name == "named" else 954} allow {{ 127.0.0.1; }} keys {{ "admin-key"; }}; }};
'''
        text += "".join(self.zone(z) for z in self.lab.primary_zones if self.serves(z))
        text += lab.signed.named_conf() if lab.signed and self.name == "named" else ""
        conf = self.write("named.conf", text)
        self.write("rndc.conf", key_text("admin-key") + f'options {{ default-server 127.0.0.1; default-key "admin-key"; '
                   f'default-port {953 if self.name == "named" else 954}; }};\n')
        return [binary(lab, "named"), "-g", "-n", "1", "-c", conf]

    def serves(self, zone):
        if self.name == "named":
            return True
        return zone != "corp.example.hk" and self.lab.mode(self.name) != "lame"

    def zone(self, zone):
        lab = self.lab
        file = f"{zone}.zone"
        if self.name == "named" or lab.mode(self.name) == "stale":
            self.write(file, zones.primary(lab, zone))
        if self.name != "named":
            if lab.mode(self.name) == "stale":
                return f'zone "{zone}" {{ type primary; file "{file}"; }};\n'
            return (f'zone "{zone}" {{ type secondary; file "{file}"; primaries {{ {lab.address("named")}; }}; '
                    f'min-refresh-time 1; min-retry-time 1; }};\n')
        grants = "".join(f"grant {k} zonesub TXT; " for k in UPDATERS) + "grant admin-key zonesub ANY; "
        if zone == "example.hk":
            grants += "grant narrow-key name www.example.hk. TXT; "
        told = "".join(f"{lab.address(p)}; " for p in ("named2", "nsd", "knot2") if p in lab.running and lab.mode(p) == "" and zone != "corp.example.hk")
        return (f'zone "{zone}" {{ type primary; file "{file}"; update-policy {{ {grants}}}; '
                f'{"also-notify { " + told + "}; " if told else ""}}};\n')

    def ready(self):
        return ("example.hk", True) if self.lab.mode(self.name) != "lame" else (None, False)


class Nsd(Part):
    """root, tld (static) and nsd (secondary of the primary zones)."""

    def prepare(self):
        lab = self.lab
        text = f'''server:
    server-count: 1
    zonesdir: "{self.dir}"
    database: ""
    username: ""
    chroot: ""
    pidfile: "{self.dir}/nsd.pid"
    xfrdfile: "{self.dir}/xfrd.state"
    zonelistfile: "{self.dir}/zone.list"
    xfrdir: "{self.dir}"
    xfrd-reload-timeout: 0
    verbosity: 1
    rrl-ratelimit: 0
    tcp-count: 200
''' + "".join(f"    ip-address: {a}\n" for a in self.listen()) + "remote-control:\n    control-enable: no\n"
        if self.name == "root":
            text += self.static(".", "root.zone", zones.root(lab))
        elif self.name == "tld":
            for t in zones.TLDS:
                text += self.static(t, f"{t}.zone", zones.tld(lab, t))
            text += self.static("provider.example", "provider.example.zone", zones.provider_example(lab))
            for zone, contents in (lab.signed.zone if lab.signed else {}).items():
                text += self.static(zone, f"{zone}.zone", contents)
        else:
            for zone in lab.primary_zones:
                text += self.secondary(zone)
        return [binary(lab, "nsd"), "-d", "-c", self.write("nsd.conf", text)]

    def static(self, zone, file, text):
        self.write(file, self.lab.signed.above(zone.strip("."), text) if self.lab.signed else text)
        return f'zone:\n    name: "{zone}"\n    zonefile: "{file}"\n    provide-xfr: 0.0.0.0/0 NOKEY\n'

    def secondary(self, zone):
        lab = self.lab
        mode = lab.mode(self.name)
        if zone == "corp.example.hk" or mode == "lame":
            return ""
        if mode == "stale":
            return self.static(zone, f"{zone}.zone", zones.primary(lab, zone))
        primary = lab.address("named")
        return (f'zone:\n    name: "{zone}"\n    zonefile: "{zone}.zone"\n    allow-notify: {primary} NOKEY\n    request-xfr: AXFR {primary} NOKEY\n'
                f'    provide-xfr: 0.0.0.0/0 NOKEY\n    min-refresh-time: 1\n    min-retry-time: 1\n')

    def ready(self):
        if self.lab.mode(self.name) == "lame":
            return None, False
        return {"root": ".", "tld": "hk"}.get(self.name, "example.hk"), True


class Knot(Part):
    def prepare(self):
        lab = self.lab
        text = f'server:\n    rundir: "{self.dir}"\n    listen: [ {", ".join(a + "@53" for a in self.listen())} ]\n    automatic-acl: on\n'
        text += "    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\ndatabase:\n    storage: \"" + self.dir + "\"\n    journal-db-max-size: 16M\n"
        text += "log:\n  - target: stderr\n    any: info\nkey:\n"
        for k in UPDATERS + ["admin-key"]:
            text += f"  - id: {k}\n    algorithm: {KEYS[k][0]}\n    secret: {KEYS[k][1]}\n"
        text += f"acl:\n  - id: txt\n    key: [ {', '.join(UPDATERS)} ]\n    action: [ transfer, update ]\n    update-type: TXT\n"
        text += "  - id: admin\n    key: admin-key\n    action: [ transfer, update ]\n  - id: read\n    action: transfer\n"
        self.write("example.net.zone", zones.single(lab, "example.net", "knot"))
        text += (f'zone:\n  - domain: example.net\n    storage: "{self.dir}"\n    file: example.net.zone\n    zonefile-sync: -1\n'
                 "    journal-content: changes\n    acl: [ txt, admin, read ]\n")
        if lab.signed:
            policy, zone = lab.signed.knot_conf()
            text = text.replace("zone:\n", policy + "zone:\n" + zone)
        return [binary(lab, "knotd"), "-c", self.write("knot.conf", text)]

    def ready(self):
        return "example.net", True


class KnotSecondary(Part):
    """Secondary of the primary zones. stale: `knotc -s LAB_KNOT2_DIR/knot.sock zone-refresh` still wakes it."""

    def prepare(self):
        lab = self.lab
        longest = "1d" if lab.mode(self.name) == "stale" else "2"
        text = f'''server:
    rundir: "{self.dir}"
    listen: [ {", ".join(a + "@53" for a in self.listen())} ]
    automatic-acl: on
    udp-workers: 1
    tcp-workers: 1
    background-workers: 2
database:
    storage: "{self.dir}"
    journal-db-max-size: 16M
log:
  - target: stderr
    any: info
remote:
  - id: primary
    address: {lab.address("named")}
    via: {lab.address(self.name)}
acl:
  - id: read
    action: transfer
template:
  - id: default
    storage: "{self.dir}"
    master: primary
    acl: read
    zonefile-sync: -1
    refresh-min-interval: {longest}
    retry-min-interval: {longest if longest == "1d" else 1}
zone:
'''
        for zone in lab.primary_zones:
            if zone != "corp.example.hk":
                self.write(f"{zone}.zone", zones.primary(lab, zone))
                text += f"  - domain: {zone}\n    file: {zone}.zone\n"
        return [binary(lab, "knotd"), "-c", self.write("knot.conf", text)]

    def ready(self):
        return "example.hk", True


class Pdns(Part):
    def prepare(self):
        lab = self.lab
        db = os.path.join(self.dir, "pdns.sqlite3")
        text = f'''launch=gsqlite3
gsqlite3-database={db}
gsqlite3-pragma-synchronous=0
gsqlite3-dnssec=yes
local-address={", ".join(self.listen())}
socket-dir={self.dir}
daemon=no
guardian=no
disable-syslog=yes
dnsupdate=yes
allow-dnsupdate-from=0.0.0.0/0,::/0
allow-axfr-ips=0.0.0.0/0,::/0
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
consistent-backends=no
zone-cache-refresh-interval=0
receiver-threads=1
distributor-threads=1
retrieval-threads=1
security-poll-suffix=
version-string=anonymous
api=yes
api-key={API_KEY}
webserver=yes
webserver-address={lab.address("pdns")}
webserver-port=8081
webserver-allow-from=0.0.0.0/0,::/0
loglevel=5
'''
        self.write("pdns.conf", text)
        self.database(db)
        return [binary(lab, "pdns_server"), f"--config-dir={self.dir}"]

    def database(self, db):
        import sqlite3
        with open("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql", encoding="utf-8") as f:
            schema = f.read()
        con = sqlite3.connect(db)
        con.executescript(schema)
        con.close()
        tool = [shutil.which("pdnsutil") or "/usr/bin/pdnsutil", f"--config-dir={self.dir}"]
        with open(os.path.join(self.lab.dir, "log", "pdnsutil.log"), "w", encoding="utf-8") as log:
            for zone in self.lab.pdns_zones:
                file = self.write(f"{zone}.zone", zones.single(self.lab, zone, "pdns"))
                subprocess.run(tool + ["load-zone", zone, file], check=True, stdout=log, stderr=log)
        con = sqlite3.connect(db)
        con.execute("update domains set type='NATIVE'")
        for k in UPDATERS + ["admin-key"]:
            con.execute("insert into tsigkeys (name, algorithm, secret) values (?, ?, ?)", (k, *KEYS[k]))
            con.execute("insert into domainmetadata (domain_id, kind, content) select id, 'TSIG-ALLOW-DNSUPDATE', ? from domains", (k,))
        con.execute("insert into domainmetadata (domain_id, kind, content) select id, 'SOA-EDIT-DNSUPDATE', 'INCREASE' from domains")
        con.commit()
        con.close()

    def ready(self):
        return "example.org", True


class Unbound(Part):
    def unlimited(self):
        """pebble asks three times for each of hundreds of names at once; an unbound that limits what one address may wait for drops what is too much."""
        limits = "    wait-limit: 0\n    discard-timeout: 0\n"
        known = subprocess.run(["unbound-checkconf", self.write("limits.conf", "server:\n" + limits)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return limits if known.returncode == 0 else ""

    def prepare(self):
        lab = self.lab
        hints = self.write("root.hints", ". 3600 IN NS a.root.\n" + f"a.root. 3600 IN A {lab.address('root')}\n"
                           + (f"a.root. 3600 IN AAAA {lab.address6('root')}\n" if lab.ipv6 else ""))
        text = f'''server:
    directory: "{self.dir}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    log-time-ascii: yes
    verbosity: 1
    do-daemonize: no
    num-threads: 1
    module-config: "{"validator " if lab.signed else ""}iterator"
{f'    trust-anchor: "{lab.signed.anchor()}"' if lab.signed else ""}
    ede: yes
    root-hints: "{hints}"
    local-zone: "test." nodefault
    access-control: 0.0.0.0/0 allow
    access-control: ::0/0 allow
    do-ip6: {"yes" if lab.ipv6 else "no"}
    do-not-query-localhost: no
    outgoing-interface: {lab.address(self.name)}
{f"    outgoing-interface: {lab.address6(self.name)}" if lab.ipv6 else ""}
    qname-minimisation: yes
    infra-host-ttl: 2
    hide-version: yes
    edns-buffer-size: 1232
    so-rcvbuf: 4m
{self.unlimited()}''' + "".join(f"    interface: {a}\n" for a in self.listen())
        text += f'remote-control:\n    control-enable: yes\n    control-interface: "{self.dir}/control"\n    control-use-cert: no\n'
        if lab.secure:
            self.certificate(f"{self.name}.lab.test")
            text += "server:\n" + "".join(f"    interface: {a}@{port}\n" for a in self.listen() for port in (853, 443))
            text += f'    tls-service-key: "{self.dir}/tls.key"\n    tls-service-pem: "{self.dir}/tls.pem"\n    tls-port: 853\n    https-port: 443\n'
        return [binary(lab, "unbound"), "-d", "-c", self.write("unbound.conf", text)]

    def environment(self):
        return {f"LAB_{self.name.upper()}_CA": f"{self.dir}/ca.pem"} if self.lab.secure else {}

    def ready(self):
        return ".", False


class Uncached(Unbound):
    """A CA's resolver keeps nothing."""

    def prepare(self):
        command = super().prepare()
        with open(os.path.join(self.dir, "unbound.conf"), "a", encoding="utf-8") as f:
            f.write("server:\n    cache-max-ttl: 0\n    cache-max-negative-ttl: 0\n")
        return command


class Pebble(Part):
    """Let's Encrypt's test CA. `run ADDRESS:PORT [eab]` in its folder starts another one with the caller's PEBBLE_* environment; its account keys for
    external binding are EAB_KEYS."""
    PORT, EAB_KEYS = 14000, {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}

    def prepare(self):
        lab = self.lab
        self.certificate("pebble.lab.test")
        for name, eab in (("plain", False), ("eab", True)):
            config = {"listenAddress": "@LISTEN@", "managementListenAddress": "@MANAGE@", "certificate": f"{self.dir}/tls.pem",
                      "privateKey": f"{self.dir}/tls.key", "httpPort": 5002, "tlsPort": 5001, "ocspResponderURL": "",
                      "certificateValidityPeriod": 90 * 86400,
                      "externalAccountBindingRequired": eab}
            if eab:
                config["externalAccountMACKeys"] = self.EAB_KEYS
            self.write(f"{name}.json", json.dumps({"pebble": config}))
        self.write("eab.key", self.EAB_KEYS["kid-1"] + "\n", 0o600)
        run = self.write("run", f'''#!/bin/sh -e
host=${{1%:*}} port=${{1##*:}}
file={self.dir}/at-$host-$port.json
sed "s/@LISTEN@/$host:$port/; s/@MANAGE@/$host:$((port + 1000))/" {self.dir}/${{2:-plain}}.json > $file
exec {binary(lab, "pebble")} -config $file -dnsserver {lab.address("pebbledns")}:53
''', 0o755)
        return [run, f"{lab.address(self.name)}:{self.PORT}"]

    def tcp(self):
        return self.lab.address(self.name), self.PORT

    def environment(self):
        return {"LAB_PEBBLE_DIRECTORY": f"https://pebble.lab.test:{self.PORT}/dir", "LAB_PEBBLE_CA": f"{self.dir}/ca.pem"}

    def ready(self):
        return None, False


class Acme(Part):
    """The small ACME server of acme_server.py, as acme.provider.example; it obeys LAB_ACME_DIR/mode."""

    def prepare(self):
        lab, here = self.lab, os.path.dirname(os.path.abspath(__file__))
        return [os.path.join(here, "acme_server.py"), self.dir, lab.address("acme"), zones.ACME_HOST, lab.address("named")]

    def ready(self):
        return None, False

    def answers(self):
        return os.path.exists(os.path.join(self.dir, "ready"))


class Portal(Part):
    """The simulated web portal of tests/portal."""

    def prepare(self):
        lab, here = self.lab, os.path.dirname(os.path.abspath(__file__))
        return [os.path.join(here, "..", "portal", "portal.py"), self.dir, lab.address(self.name), lab.address("portaldns")]

    def ready(self):
        return None, False

    def answers(self):
        return os.path.exists(os.path.join(self.dir, "ready"))

    def tcp(self):
        return self.lab.address(self.name), 443

    def environment(self):
        return {"LAB_PORTAL_URL": "https://www.ecert.test/ecert/csr/start.do", "LAB_PORTAL2_URL": "https://portal.harbour.test/",
                "LAB_PORTAL_CA": f"{self.dir}/web/root.pem", "LAB_PORTAL_ROOT": f"{self.dir}/pki/root.pem", "LAB_PORTAL_PKI": f"{self.dir}/pki",
                "LAB_PORTAL_CONTROL": "http://127.0.0.1:8016/control"}


KINDS = {
    "root": (Nsd, "198.51.100.1"), "tld": (Nsd, "198.51.100.2"),
    "named": (Named, "192.0.2.53"), "named2": (Named, "198.51.100.53"), "nsd": (Nsd, "203.0.113.53"),
    "knot": (Knot, "192.0.2.54"), "knot2": (KnotSecondary, "203.0.113.54"), "pdns": (Pdns, "192.0.2.55"),
    "pebble": (Pebble, "192.0.2.14"), "pebbledns": (Unbound, "203.0.113.14"),
    "unbound": (Unbound, "192.0.2.101"), "unbound2": (Unbound, "192.0.2.102"), "unbound3": (Unbound, "203.0.113.103"),
    "acme": (Acme, "192.0.2.15"), "portal": (Portal, "192.0.2.16"), "portaldns": (Uncached, "203.0.113.16"),
}
