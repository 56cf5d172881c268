"""Certificates of the lab's ACME server, right ones and wrong ones, signed through tests/lab/pki."""
import os
import re
import subprocess
import tempfile

from acme_jose import b64

HERE = os.path.dirname(os.path.abspath(__file__))


def run(*command, data=None, **env):
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, **env), check=False)
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace").strip() or f"{command[0]} failed")
    return done.stdout


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


class Authority:
    """A hierarchy of tests/lab/pki in a folder: root.pem signs new.pem, which signs certificates; cross.pem is root's, by another root."""

    def __init__(self, folder):
        self.dir = folder
        run(f"{HERE}/pki", "make", folder, "p256")
        text = run("openssl", "x509", "-in", f"{folder}/new.pem", "-noout", "-ext", "subjectKeyIdentifier").decode()
        self.key_id = bytes.fromhex(re.search(r"((?:[0-9A-F]{2}:)+[0-9A-F]{2})", text)[1].replace(":", ""))

    def server(self, name, san, start=None, days=30):
        """A TLS server's key and chain in files; returns (chain, key)."""
        key, csr, out = (f"{self.dir}/{name}.{e}" for e in ("key", "csr", "pem"))
        new_key(key)
        run("openssl", "req", "-new", "-key", key, "-subj", f"/CN={san}", "-out", csr)
        run(f"{HERE}/pki", "issue", self.dir, csr, out, str(days), san, **({"START": start} if start else {}))
        write(out, read(out) + read(self.dir, "new.pem"))
        return out, key

    def self_signed_server(self, name, san):
        key, out = f"{self.dir}/{name}.key", f"{self.dir}/{name}.pem"
        new_key(key)
        run("openssl", "req", "-new", "-x509", "-key", key, "-subj", f"/CN={san}", "-addext", f"subjectAltName=DNS:{san}", "-days", "9", "-out", out)
        return out, key

    def issue(self, csr, names, kind, days):
        """(chain as sent, alternate chain, certID) for a CSR in DER; kind: what is wrong with it."""
        with tempfile.TemporaryDirectory(dir=self.dir) as at:
            run("openssl", "req", "-inform", "DER", "-out", f"{at}/csr", data=csr)
            if kind == "otherkey":
                new_key(f"{at}/key")
                run("openssl", "req", "-new", "-key", f"{at}/key", "-subj", "/CN=x", "-out", f"{at}/csr")
            sans = {"othernames": ["evil.example.hk"], "missing": names[:-1], "extra": names + ["evil.example.hk"]}.get(kind, names)
            start = {"expired": "-30days", "notyet": "+20days"}.get(kind)
            days = 10 if kind == "expired" else days
            if kind == "selfsigned":
                self.as_its_own(at, sans)
            else:
                run(f"{HERE}/pki", "issue", self.dir, f"{at}/csr", f"{at}/out", str(days), ",".join(sans), **({"START": start} if start else {}))
            return self.wrapped(at, kind)

    def as_its_own(self, at, sans):
        """Issuer and subject are one, the signature is another's."""
        new_key(f"{at}/ca.key")
        run("openssl", "req", "-new", "-x509", "-key", f"{at}/ca.key", "-subj", f"/CN={sans[0]}", "-days", "9", "-out", f"{at}/ca.pem")
        write(f"{at}/pub", run("openssl", "req", "-in", f"{at}/csr", "-noout", "-pubkey"))
        write(f"{at}/ext", f"subjectAltName=DNS:{',DNS:'.join(sans)}\nauthorityKeyIdentifier=keyid:always\n".encode())
        run("openssl", "x509", "-new", "-force_pubkey", f"{at}/pub", "-subj", f"/CN={sans[0]}", "-CA", f"{at}/ca.pem", "-CAkey", f"{at}/ca.key",
            "-set_serial", "77", "-days", "9", "-extfile", f"{at}/ext", "-out", f"{at}/out")

    def wrapped(self, at, kind):
        leaf, new, cross = read(at, "out"), read(self.dir, "new.pem"), read(self.dir, "cross.pem")
        alternate = leaf + new + cross
        chain = {
            "selfsigned": leaf, "alone": leaf, "order": new + leaf, "twice": leaf + leaf + new, "empty": b"",
            "big": leaf + new * (1048576 // len(new)), "garbage": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cut": leaf[:len(leaf) // 2], "foreign": leaf + read(self.dir, "other-root.pem"),
            "withkey": leaf + new + read(self.dir, "other-root.key"), "nul": b"\0" * 4096 + leaf + new,
        }.get(kind, leaf + new)
        return chain, alternate, self.renewal_id(f"{at}/out")

    def renewal_id(self, file):
        """RFC 9773 4.1."""
        digits = run("openssl", "x509", "-in", file, "-noout", "-serial").decode().strip().split("=")[1]
        serial = bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)
        return f"{b64(self.key_id)}.{b64(bytes(1) + serial if serial[0] & 128 else serial)}"


def new_key(file):
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file)


def csr_names(csr):
    """The names a CSR in DER asks for; ValueError: it is none, or its own signature is wrong."""
    done = subprocess.run(["openssl", "req", "-inform", "DER", "-noout", "-verify", "-text"], input=csr, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    if b"verify OK" not in done.stderr:  # its exit code says 0 either way
        raise ValueError("no CSR, or its own signature is wrong")
    text = done.stdout.decode(errors="replace")
    san = re.search(r"Subject Alternative Name:[^\n]*\n\s*([^\n]*)", text)
    names = {n.strip()[4:] for n in san[1].split(",")} if san else set()
    common = re.search(r"Subject:.*?CN = ([^,\n]+)", text)
    return names | ({common[1]} if common else set())
