"""Signed zones of the lab (option signed=yes): a signed root and `test` above zones that are signed well and badly.

    signed.test       named signs it by itself (dnssec-policy, NSEC); plain.signed.test below it is delegated insecurely
    nsec3.test        knotd signs it by itself (NSEC3)
    bogus.test        its signatures are of the right time and wrong
    expired.test      signed, and not renewed             soon.test      its signatures are about to end
    future.test       signatures that begin next week     iterations.test NSEC3 with 150 iterations
    nokey.test        the DS above names another key       stripped.test  a DS above, and not signed
    nods.test         signed, without a DS above
All but the first two are files of the part tld. unbound trusts the root's key, and tells why it refuses (ede).
"""
import glob
import os
import re
import shutil
import subprocess

DAY = 86400
TOOLS = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
POLICY = 'dnssec-policy "lab" { keys { csk lifetime unlimited algorithm ecdsap256sha256; }; };\n'
STATIC = {  # zone -> (arguments of dnssec-signzone, DS above)
    "bogus.test": ("", True), "expired.test": (f"-s now-{30 * DAY} -e now-{3 * DAY}", True), "soon.test": (f"-s now-{30 * DAY} -e now+{2 * 3600}", True),
    "future.test": (f"-s now+{7 * DAY} -e now+{30 * DAY}", True), "iterations.test": ("-3 - -H 150", True), "nokey.test": ("", False),
    "stripped.test": ("", True), "nods.test": ("", False), "plain.signed.test": (None, False),
}
OTHER_DS = "4711 13 2 E5C3B6E7A9D1F0E2C4B6A8D0F1E3C5B7A9D1F3E5C7B9ADB1C3D5E7F9ABCDEF01"


def run(*words, cwd=None):
    return subprocess.run([shutil.which(words[0], path=TOOLS) or words[0], *words[1:]], cwd=cwd, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True).stdout


class Signed:
    """Made before the servers start. zone: signed texts by zone; ds: what stands in `test`."""

    def __init__(self, lab):
        self.lab = lab
        self.dir = os.path.join(lab.dir, "signed")
        os.makedirs(self.dir)
        self.ds, self.zone = [], {}
        self.key("test", self.dir)  # the root, which names it, is written first
        self.of_named()
        self.of_knot()
        for name, (how, has_ds) in STATIC.items():
            text = self.plain(name, "tld")
            if how is None:
                self.zone[name] = text
                continue
            signed = self.sign(name, text, how)
            if has_ds:
                self.ds.append(self.ds_of(name))
            self.zone[name] = text if name == "stripped.test" else broken(signed) if name == "bogus.test" else signed
        self.ds.append(f"nokey.test. IN DS {OTHER_DS}\n")

    def plain(self, zone, part):
        lab = self.lab
        text = (f"$ORIGIN {zone}.\n$TTL 300\n@ IN SOA ns1 hostmaster.example.hk. 1 3600 600 86400 5\n@ IN NS ns1\nns1 IN A {lab.address(part)}\n"
                "www IN A 192.0.2.80\n")
        text += f"ns1 IN AAAA {lab.address6(part)}\n" if lab.ipv6 else ""
        return text + (f"plain IN NS ns1.plain\nns1.plain IN A {lab.address('tld')}\n" if zone == "signed.test" else "")

    def key(self, zone, folder, *more):
        run("dnssec-keygen", "-q", "-K", folder, *(more or ("-a", "ECDSAP256SHA256", "-f", "KSK")), zone or ".")

    def sign(self, zone, text, how=""):
        if not glob.glob(os.path.join(self.dir, f"K{zone}.+*.key")):
            self.key(zone, self.dir)
        file = os.path.join(self.dir, (zone or "root") + ".zone")
        with open(file, "w", encoding="ascii") as f:
            f.write(text)
        run("dnssec-signzone", "-q", "-S", "-z", "-P", "-K", self.dir, "-d", self.dir, *how.split(), "-o", zone or ".", "-f", file + ".signed", file)
        with open(file + ".signed", encoding="ascii") as f:
            return f.read()

    def ds_of(self, zone, folder=None):
        return run("dnssec-dsfromkey", "-2", glob.glob(os.path.join(folder or self.dir, f"K{zone}.+*.key"))[0])

    def of_named(self):
        folder = os.path.join(self.lab.dir, "named", "keys")
        os.makedirs(folder)
        policy = os.path.join(self.dir, "policy.conf")
        with open(policy, "w", encoding="ascii") as f:
            f.write(POLICY)
        self.key("signed.test", folder, "-k", "lab", "-l", policy)
        self.ds.append(self.ds_of("signed.test", folder))

    def of_knot(self):
        folder = os.path.join(self.lab.dir, "knot", "keys")
        os.makedirs(folder)
        run("keymgr", "-D", folder, "nsec3.test", "generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes")
        self.ds += [line + "\n" for line in run("keymgr", "-D", folder, "nsec3.test", "ds").splitlines() if re.search(r" 13 2 ", line)]

    def delegations(self):
        """What `test` says of them."""
        text = "".join(self.ds)
        for zone in ["signed.test", "nsec3.test"] + list(STATIC):
            part = {"signed.test": "named", "nsec3.test": "knot"}.get(zone, "tld")
            if zone != "plain.signed.test":
                text += f"{zone}. 300 IN NS ns1.{zone}.\nns1.{zone}. 300 IN A {self.lab.address(part)}\n"
                text += f"ns1.{zone}. 300 IN AAAA {self.lab.address6(part)}\n" if self.lab.ipv6 else ""
        return text

    def above(self, zone, text):
        """A zone of the parts root and tld as it is served."""
        if zone == "test":
            return self.sign("test", text + self.delegations())
        if zone == "":
            return self.sign("", text + self.ds_of("test"))
        return text

    def anchor(self):
        """The key of the root, for validators."""
        with open(glob.glob(os.path.join(self.dir, "K.+*.key"))[0], encoding="ascii") as f:
            return [line for line in f.read().splitlines() if " DNSKEY " in line][0]

    def named_conf(self):
        folder = os.path.join(self.lab.dir, "named")
        with open(os.path.join(folder, "signed.test.zone"), "w", encoding="ascii") as f:
            f.write(self.plain("signed.test", "named"))
        return (POLICY + f'zone "signed.test" {{ type primary; file "signed.test.zone"; key-directory "{folder}/keys"; dnssec-policy "lab"; '
                'inline-signing yes; update-policy { grant lab-key zonesub TXT; grant admin-key zonesub ANY; }; };\n')

    def knot_conf(self):
        folder = os.path.join(self.lab.dir, "knot")
        with open(os.path.join(folder, "nsec3.test.zone"), "w", encoding="ascii") as f:
            f.write(self.plain("nsec3.test", "knot"))
        policy = "policy:\n  - id: lab\n    manual: on\n    nsec3: on\n    nsec3-iterations: 0\n"
        return policy, (f'  - domain: nsec3.test\n    storage: "{folder}"\n    file: nsec3.test.zone\n    zonefile-sync: -1\n    zonefile-load: difference\n'
                        "    journal-content: all\n    dnssec-signing: on\n    dnssec-policy: lab\n    acl: [ txt, admin, read ]\n")


def broken(text):
    """The last letter of each signature over the SOA and A records another one."""
    lines, inside = [], False
    for line in text.splitlines():
        inside = inside or bool(re.search(r"\bRRSIG\s+(SOA|A)\b", line))
        if inside and ")" in line:
            line, inside = re.sub(r"(\w)(=* ?\))", lambda m: ("A" if m[1] != "A" else "Q") + m[2], line), False
        lines.append(line)
    return "\n".join(lines) + "\n"
