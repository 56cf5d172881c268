"""Certificates of the simulated CA, shaped as the real one's: a root, an intermediate issued twice under one name (the old without EKU, the new with
serverAuth), the same for EV, and the root's cross certificate by another root. Made and signed through tests/lab/pki."""
import os
import re
import subprocess
import tempfile

PKI = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lab", "pki")
KEY_BITS = 2048
PUBLIC = {  # file of the public server: (certificate, form)
    "ecert_ssl_ca_3-17_pem.crt": ("new", "pem"), "ecert_ssl_ca_3-17.crt": ("new", "der"), "ecert_ssl_ca_3-17_pem_old.crt": ("old", "pem"),
    "ecert_ev_ssl_ca_3-17_pem.crt": ("ev-new", "pem"), "ecert_ev_ssl_ca_3-17.crt": ("ev-new", "der"),
    "ecert_ev_ssl_ca_3-17_pem_old.crt": ("ev-old", "pem"),
    "root_ca_3_x_gscar3_pem.crt": ("cross", "pem"), "root_ca_3_pem.crt": ("root", "pem"), "root_ca_3.crt": ("root", "der"),
}
AIA = "http://www1.ecert.test/root/ecert_{}ssl_ca_3-17.crt"


class Refused(Exception):
    """What the CA does not accept; the argument names the text to show."""


def run(*command, data=None, **env):
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, **env), check=False)
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace").strip() or f"{command[0]} failed")
    return done.stdout


def read(path):
    with open(path, "rb") as f:
        return f.read()


def reform(pem, form):
    """One certificate in the form in which a person may meet it."""
    if form == "der":
        return run("openssl", "x509", "-outform", "DER", data=pem)
    if form == "p7b":
        with tempfile.NamedTemporaryFile() as f:
            f.write(pem)
            f.flush()
            return run("openssl", "crl2pkcs7", "-nocrl", "-certfile", f.name)
    return {"crlf": pem.replace(b"\n", b"\r\n"), "text": b"\xef\xbb\xbf" + run("openssl", "x509", "-text", data=pem),
            "html": b"<html><body>Please try again later.</body></html>"}.get(form, pem)


class Authority:
    def __init__(self, folder):
        self.dir = folder
        if not os.path.exists(os.path.join(folder, "ev-new.pem")):
            run(PKI, "make", folder, "rsa")
            run(PKI, "ev", folder)

    def public(self, name, instead=None):
        """Octets of a file of the public server, or None; instead: another certificate, a list of them, or a form."""
        if name not in PUBLIC:
            return None
        which, form = PUBLIC[name]
        if instead in ("crlf", "html", "text"):
            form = instead
        elif instead:
            which = instead
        return reform(b"".join(read(os.path.join(self.dir, f"{w}.pem")) for w in which.split("+")), form)

    def parse(self, csr):
        """What stands in a CSR in PEM: cn o country key bits; Refused: it is none that this CA takes."""
        done = subprocess.run(["openssl", "req", "-noout", "-verify", "-text", "-nameopt", "multiline,utf8,-esc_msb"], input=csr.encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if b"verify OK" not in done.stderr:  # its exit code says 0 either way
            raise Refused("csr-bad")
        shown = done.stdout.decode(errors="replace")
        part = lambda name: (re.search(rf"^\s*{name}\s+= (.*)$", shown, re.M) or ["", ""])[1].strip()
        bits = re.search(r"Public-Key: \((\d+) bit", shown)
        found = {"cn": part("commonName"), "o": part("organizationName"), "country": part("countryName"), "bits": int(bits[1]) if bits else 0,
                 "key": "RSA" if "rsaEncryption" in shown else "EC"}
        if found["key"] != "RSA" or found["bits"] < KEY_BITS:
            raise Refused("csr-key")
        if found["country"] not in ("", "HK"):
            raise Refused("csr-country")
        return found

    def issue(self, csr, names, organisation, days, ev, clock, kind=""):
        """A certificate in PEM. kind: otherkey othernames missing extra expired organisation clientauth: what is wrong with it."""
        with tempfile.TemporaryDirectory(dir=self.dir) as at:
            with open(f"{at}/csr", "w", encoding="ascii") as f:
                f.write(csr)
            if kind == "otherkey":
                run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{at}/key", "-subj", "/CN=x", "-out", f"{at}/csr")
            stranger = ["www.other.example"]
            names = {"othernames": stranger, "missing": names[:-1] or stranger, "extra": names + stranger}.get(kind, names)
            organisation = re.sub(r"([/+\\])", r"\\\1", "Another Company" if kind == "organisation" else organisation)
            start = clock - 400 * 86400 if kind == "expired" else clock
            env = {"ISSUER": "ev" if ev else "", "AIA": AIA.format("ev_" if ev else ""),
                   "EKU": "clientAuth" if kind == "clientauth" else "serverAuth"}
            if start:
                env["START"] = f"{start:+d}s"
            run(PKI, "issue", self.dir, f"{at}/csr", f"{at}/out", str(days), ",".join(names), organisation, **env)
            return read(f"{at}/out").decode()
