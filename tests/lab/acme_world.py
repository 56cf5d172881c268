"""What the lab's ACME server knows: its mode, accounts, orders, authorizations, certificates; validation and issue."""
import datetime
import hashlib
import itertools
import json
import os
import random
import re
import subprocess
import threading
import time

import acme_bad
import acme_issue
from acme_jose import b64

POSTS = {"newAccount", "newOrder", "account", "order", "authz", "challenge", "finalize", "certificate", "revokeCert", "keyChange"}


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text):
    return 0 if text in ("", "now") else float(text)


class Mode:
    """FOLDER/mode as it is now; counts how often each fault was due."""

    def __init__(self, path):
        self.path, self.text, self.values, self.done, self.fresh = path, None, {}, {}, False

    def load(self):
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        self.fresh = text != self.text
        if self.fresh:
            self.text, self.done = text, {}
            self.values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def get(self, key, default=""):
        return self.values.get(key, default)

    def fault(self, what):
        """(name, argument) of the fault due now; ("", "")."""
        for at in (what, "post" if what in POSTS else "", "all"):
            fault = self.values.get(f"at.{at}")
            if not fault:
                continue
            times, after = re.search(r"\*(\d+)$", fault), re.search(r"\+(\d+)$", fault)
            done = self.done.get(at, 0)
            self.done[at] = done + 1
            if (not times or done < int(times[1])) and (not after or done >= int(after[1])):
                name, _, arg = re.sub(r"[*+]\d+$", "", fault).partition(":")
                return name, arg
        return "", ""


class World:
    """Accounts, orders and the rest; one lock."""

    def __init__(self, folder, dns):
        self.dir, self.dns = folder, dns
        self.lock = threading.RLock()
        self.mode = Mode(os.path.join(folder, "mode"))
        self.numbers, self.connections, self.random = itertools.count(1), itertools.count(1), random.Random(1)
        self.nonces, self.accounts, self.orders, self.authzs, self.certs = set(), {}, {}, {}, {}
        self.ca = acme_issue.Authority(os.path.join(folder, "pki"))

    def log(self, **entry):
        with open(os.path.join(self.dir, "log"), "a", encoding="utf-8") as f:
            f.write(json.dumps(dict(entry, time=round(time.time(), 3))) + "\n")

    def nonce(self):
        n = b64(os.urandom(12))
        self.nonces.add(n)
        return n

    def once(self, what):
        if what == "forget-accounts":
            self.accounts.clear()
        elif what == "forget-orders":
            self.orders.clear()
        elif what == "forget-authz":
            for a in self.authzs.values():
                a["status"] = "deactivated"
        elif what == "close-accounts":
            for a in self.accounts.values():
                a["status"] = "deactivated"

    # --- validation

    def validate(self, authz, account, mode):
        time.sleep(seconds(mode.get("validating")))
        if mode.get("processing") == "authz":
            return
        name = authz["identifier"]["value"]
        wanted = b64(hashlib.sha256(f"{authz['token']}.{account['thumb']}".encode()).digest())
        out = subprocess.run(["dig", "+short", "+time=2", "+tries=2", f"@{self.dns}", f"_acme-challenge.{name}", "TXT"],
                             stdout=subprocess.PIPE, check=False, text=True).stdout
        good = f'"{wanted}"' in out.splitlines() and name not in mode.get("fail").split(",")
        with self.lock:
            self.log(what="validation", name=name, good=good, seen=out.split())
            authz["status"] = "valid" if good else "invalid"
            if not good:
                text = acme_bad.EVIL if mode.get("failtext") == "evil" else f"no TXT record with the value wanted at _acme-challenge.{name}"
                authz["error"] = {"type": acme_bad.URN + "unauthorized", "detail": text, "status": 403}

    def settle(self, order):
        """RFC 8555 7.1.6."""
        if order["status"] != "pending":
            return
        states = [self.authzs[a]["status"] for a in order["authz"]]
        if all(s == "valid" for s in states):
            order["status"] = "ready"
        elif not all(s in ("valid", "pending") for s in states):
            order["status"] = "invalid"
            failed = [self.authzs[a] for a in order["authz"] if "error" in self.authzs[a]]
            subs = [dict(a["error"], identifier=a["identifier"]) for a in failed]
            order["error"] = dict(subs[0], subproblems=subs) if subs else None

    def issue(self, order, csr, mode):
        forbidden = [n for n in mode.get("orderfail").split(",") if n in order["names"]]
        try:
            chain = None if forbidden else self.ca.issue(csr, order["names"], mode.get("cert"), int(mode.get("days", "90")))
        except ValueError as fault:
            self.log(what="issue", fault=str(fault))
            chain = None
        time.sleep(seconds(mode.get("issuing")))
        if mode.get("processing") == "order":
            return
        with self.lock:
            if chain:
                order["cert"] = next(self.numbers)
                self.certs[order["cert"]] = {"chain": chain[0], "alternate": chain[1], "id": chain[2], "account": order["account"], "revoked": False,
                                             "replaced": False, "key": chain[0]}
                order["status"] = "valid"
            else:
                text = acme_bad.EVIL if mode.get("failtext") == "evil" else "forbidden by policy"
                subs = [{"type": acme_bad.URN + "caa", "detail": text, "identifier": {"type": "dns", "value": n}} for n in forbidden]
                order["error"] = {"type": acme_bad.URN + "rejectedIdentifier", "detail": text, "status": 403, "subproblems": subs}
                order["status"] = "invalid"


class Frozen:
    """A mode as it was when the work began."""

    def __init__(self, values):
        self.values = dict(values)

    def get(self, key, default=""):
        return self.values.get(key, default)
