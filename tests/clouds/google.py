#!/usr/bin/python3 -B
"""Google Cloud DNS v1 as its REST reference describes it, with a token endpoint and a metadata server.

usage: google.py FOLDER      a key file of a service account, google.json, is written there
The assertion is checked with the openssl command. Switches: zones, pending, page, life (of a token, s), token (false: none is given out).
"""
import base64
import json
import os
import subprocess
import sys
import time
from urllib.parse import parse_qs

import cloud

FOLDER = sys.argv[1]
EMAIL, PROJECT = "dcv@lab-project.iam.gserviceaccount.com", "lab-project"
BASE = f"/dns/v1/projects/{PROJECT}/managedZones"


def refuse(status, reason, message):
    raise cloud.Answer(status, json.dumps({"error": {"code": status, "message": message,
                                                     "errors": [{"message": message, "domain": "global", "reason": reason}]}}))


def bytes_of(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Google(cloud.Cloud):
    def __init__(self):
        super().__init__()
        self.switch = {"zones": [["example-hk", "example.hk.", "public"]], "pending": 0, "page": 100, "life": 3600}
        self.changes, self.tokens = {}, []
        self.key = os.path.join(FOLDER, "google.pem")
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout", "-out", self.key + ".pub"], check=True, stderr=subprocess.DEVNULL)

    def command(self, c):
        if c["do"] != "key":
            return super().command(c)
        with open(self.key, encoding="ascii") as f:
            pem = f.read()
        path = os.path.join(FOLDER, "google.json")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as f:
            json.dump({"type": "service_account", "project_id": PROJECT, "private_key_id": "k1", "private_key": pem, "client_email": EMAIL,
                       "token_uri": f"http://127.0.0.1:{c['port']}/token"}, f)
        return path

    def assertion(self, r):
        form = parse_qs(r.body.decode())
        if form["grant_type"] != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
            return False
        head, claims, sig = form["assertion"][0].split(".")
        path = os.path.join(FOLDER, "sig")
        with open(path, "wb") as f:
            f.write(bytes_of(sig))
        good = subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.key + ".pub", "-signature", path], input=f"{head}.{claims}".encode(),
                              stdout=subprocess.DEVNULL, check=False).returncode == 0
        head, claims = json.loads(bytes_of(head)), json.loads(bytes_of(claims))
        return (good and head == {"alg": "RS256", "typ": "JWT", "kid": "k1"} and claims["iss"] == EMAIL
                and claims["scope"] == "https://www.googleapis.com/auth/ndev.clouddns.readwrite" and claims["aud"].endswith("/token")
                and claims["exp"] - claims["iat"] <= 3600 and abs(claims["iat"] - time.time()) < 60)

    def token(self):
        self.tokens = [f"ya29.secret-{len(self.log)}"]
        return 200, json.dumps({"access_token": self.tokens[0], "expires_in": self.switch["life"], "token_type": "Bearer"}), {}

    def zones(self, r):
        wanted = r.query.get("dnsName")
        return 200, json.dumps({"kind": "dns#managedZonesListResponse",
                                "managedZones": [{"name": n, "dnsName": d, "visibility": v} for n, d, v in self.switch["zones"] if d == wanted]}), {}

    def listing(self, r):
        owner = r.query["name"].rstrip(".")
        at, size = int(r.query.get("pageToken") or 0), self.switch["page"]
        rows = [{"kind": "dns#resourceRecordSet", "name": o + ".", "type": t, "ttl": s["ttl"], "rrdatas": s["values"]}
                for (o, t), s in sorted(self.sets.items()) if o == owner]
        answer = {"kind": "dns#resourceRecordSetsListResponse", "rrsets": rows[at:at + size]}
        if rows[at + size:]:
            answer["nextPageToken"] = str(at + size)
        return 200, json.dumps(answer), {}

    def change(self, r):
        new, body = dict(self.sets), json.loads(r.body)
        for i, s in enumerate(body["deletions"]):
            key, where = (s["name"].rstrip("."), s["type"]), f"entity.change.deletions[{i}]"
            had = new.pop(key, None)
            if not had:
                refuse(404, "notFound", f"The '{where}' resource named '{s['name']} ({s['type']})' does not exist.")
            if had["ttl"] != s["ttl"] or sorted(had["values"]) != sorted(s["rrdatas"]):
                refuse(412, "conditionNotMet", f"Precondition not met for '{where}'")
        for i, s in enumerate(body["additions"]):
            key, where = (s["name"].rstrip("."), s["type"]), f"entity.change.additions[{i}]"
            if key in new:
                refuse(409, "alreadyExists", f"The resource '{where}' named '{s['name']} ({s['type']})' already exists")
            if not key[0].endswith("example.hk") or not all(v.startswith('"') for v in s["rrdatas"]):
                refuse(400, "invalid", f"Invalid value for '{where}.rrdata'")
            new[key] = {"ttl": s["ttl"], "values": s["rrdatas"]}
        self.sets = new
        name = str(len(self.changes) + 1)
        self.changes[name] = self.switch["pending"]
        return self.state(name)

    def state(self, name):
        status = "pending" if self.changes[name] > 0 else "done"
        self.changes[name] -= 1
        return 200, json.dumps({"kind": "dns#change", "id": name, "status": status}), {}

    def answer(self, r):
        if r.path == "/token" and r.method == "POST":
            return self.token() if self.assertion(r) else refuse(400, "invalid_grant", "Invalid JWT Signature.")
        if r.path == "/computeMetadata/v1/instance/service-accounts/default/token" and r.headers.get("Metadata-Flavor") == "Google":
            return self.token()
        if r.headers.get("Authorization") not in [f"Bearer {t}" for t in self.tokens]:
            refuse(401, "authError", "Invalid Credentials")
        if r.path == BASE:
            return self.zones(r)
        if r.path == BASE + "/example-hk/rrsets":
            return self.listing(r)
        if r.path == BASE + "/example-hk/changes" and r.method == "POST":
            return self.change(r)
        if r.path.startswith(BASE + "/example-hk/changes/"):
            return self.state(r.path.rpartition("/")[2])
        return refuse(404, "notFound", "The 'parameters.managedZone' resource named 'other' does not exist.")


cloud.serve(Google())
