"""What the portal's own tests share: the control interface, TXT records in the lab's zones, CSRs, the words of a page's buttons."""
import json
import os
import subprocess
import urllib.error
import urllib.request

from browser import Browser
from words import Words

REFERENCE, PIN = "123456789", "1234567890123456"


def control(what, data=None):
    request = urllib.request.Request(f"{os.environ['LAB_PORTAL_CONTROL']}/{what}", None if data is None else json.dumps(data).encode())
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as refused:
        return json.load(refused)


def counters(reference=REFERENCE):
    return control(f"counters?reference={reference}")


def log():
    with open(os.path.join(os.environ["LAB_PORTAL_DIR"], "log"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def txt(*lines):
    """nsupdate's lines, each zone by itself: "add www.example.hk CODE", "delete www.example.hk"."""
    for line in lines:
        what, owner, *value = line.split()
        change = f"update add {owner} 60 TXT {value[0]}" if what == "add" else f"update delete {owner} TXT " + "".join(value)
        zone = next(z for z in ("example.hk", "xn--i8s431aqn1ad1j.hk", "example.com") if owner.endswith(z))
        subprocess.run(["nsupdate", "-v", "-k", os.path.join(os.environ["LAB_KEYS"], "lab-key.key")],
                       input=f"server {os.environ['LAB_NAMED']}\nzone {zone}\n{change}\nsend\n", text=True, check=True)


def csr(name, key="rsa:2048", country="HK"):
    folder = os.environ["LAB_DIR"]
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "p256" else ["-newkey", key]
    subprocess.run(["openssl", "req", "-new", *options, "-nodes", "-utf8", "-keyout", f"{folder}/key", "-subj", f"/C={country}/O=Anything/CN={name}",
                    "-out", f"{folder}/csr"], check=True, stderr=subprocess.DEVNULL)
    with open(f"{folder}/csr", encoding="ascii") as f:
        return f.read()


class Person(Browser):
    """Someone at the pages of the e-Cert look, in one language."""

    def __init__(self, language="tc", port=443):
        super().__init__(os.environ["LAB_PORTAL"], os.environ["LAB_PORTAL_CA"], port)
        self.words, self.start = Words(language), f"{os.environ['LAB_PORTAL_URL']}?lang={language}"

    def push(self, key, **values):
        """Presses the button of this word, having filled the fields of those words."""
        return self.press(self.words(key), {self.words(k.replace("_", "-")): v for k, v in values.items()})

    def login(self, name, reference=REFERENCE, pin=PIN):
        self.get(self.start)
        return self.push("submit", server_name=name, reference=reference, pin=pin)

    def to_dns(self, name, **who):
        self.login(name, **who)
        self.push("confirm")
        return self.push("continue", dcv=self.words("dns"))

    def at(self):
        """The page by the server's log."""
        return next((e["page"] for e in reversed(log()) if "page" in e), None)
