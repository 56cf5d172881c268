#!/usr/bin/python3 -B
"""Huawei Cloud DNS and Akamai Edge DNS, whose unit is the record set.

usage: sets.py FOLDER huaweicloud|akamai
Sources: support.huaweicloud.com api-dns (dns_api_62003, 64004, 64001, UpdateRecordSet, 64005): changes are PENDING_... until they are done;
techdocs.akamai.com edge-dns reference (zones/{zone}/names/{name}/types/{type}).
"""
import json
import re
import sys
from urllib.parse import unquote

import cloud
import signing


class Huawei(cloud.Cloud):
    ZONE = "ff8080828a94313a018bdd0f2c1e0f3c"

    def __init__(self):
        super().__init__()
        self.pending = {}

    @staticmethod
    def refuse(status, code, message):
        raise cloud.Answer(status, json.dumps({"code": code, "message": message}))

    def show(self, owner, kind):
        name = f"{kind}-{owner}".encode().hex()
        status = "ACTIVE"
        if self.pending.get(name, 0) > 0:
            self.pending[name] -= 1
            status = "PENDING_CREATE"
        s = self.sets[owner, kind]
        return {"id": name, "name": owner + ".", "type": kind, "ttl": s["ttl"], "records": s["values"], "status": status,
                "zone_id": self.ZONE, "zone_name": self.zone + ".", "default": False}

    def listing(self, q):
        rows = [self.show(*k) for k in sorted(self.sets)
                if q.get("type") in (None, k[1]) and (k[0] + "." == q["name"] if q.get("search_mode") == "equal" else q["name"] in k[0] + ".")]
        at, size = int(q.get("offset", 0)), int(q.get("limit", 500))
        return 200, json.dumps({"links": {}, "recordsets": rows[at:at + size], "metadata": {"total_count": len(rows)}}), {}

    def put(self, owner, body):
        if not all(re.fullmatch(r'("([^"\\]|\\.){0,255}" ?)+', v) for v in body["records"]):
            self.refuse(400, "DNS.0307", "The value of the record set is invalid.")
        self.sets[owner, "TXT"] = {"ttl": body["ttl"], "values": body["records"]}
        self.pending[f"TXT-{owner}".encode().hex()] = 1
        return 202, json.dumps(self.show(owner, "TXT")), {}

    def answer(self, r):
        wrong = signing.sdk(r)
        if wrong:
            raise cloud.Answer(401, json.dumps({"error_msg": "Incorrect IAM authentication information: verify aksk signature fail",
                                                "error_code": wrong, "request_id": "r-1"}))
        if r.path == "/v2/zones" and r.method == "GET":
            zones = [{"id": self.ZONE, "name": self.zone + ".", "zone_type": "public", "status": "ACTIVE"}]
            return 200, json.dumps({"links": {}, "zones": zones, "metadata": {"total_count": 1}}), {}
        m = re.fullmatch(rf"/v2/zones/{self.ZONE}/recordsets(?:/([0-9a-f]+))?", r.path)
        if not m:
            self.refuse(404, "DNS.0302", "This zone does not exist.")
        if not m.group(1):
            if r.method == "GET":
                return self.listing(r.query)
            body = json.loads(r.body)
            owner = body["name"].rstrip(".")
            if (owner, "TXT") in self.sets:
                self.refuse(400, "DNS.0312", "Attribute 'name' conflicts with Record Set")
            return self.put(owner, body)
        kind, _, owner = bytes.fromhex(m.group(1)).decode().partition("-")
        if (owner, kind) not in self.sets:
            self.refuse(404, "DNS.0304", "This record set does not exist.")
        if r.method == "GET":
            return 200, json.dumps(self.show(owner, kind)), {}
        if r.method == "PUT":
            return self.put(owner, json.loads(r.body))
        gone = self.show(owner, kind)
        del self.sets[owner, kind]
        return 202, json.dumps(gone), {}


class Akamai(cloud.Cloud):
    @staticmethod
    def refuse(status, title):
        raise cloud.Answer(status, json.dumps({"type": "https://problems.luna.akamaiapis.net/authoritative-dns/x", "title": title, "status": status,
                                               "detail": title}), {"Content-Type": "application/problem+json"})

    def answer(self, r):
        wrong = signing.edgegrid(r)
        if wrong:
            self.refuse(401, wrong)
        m = re.fullmatch(r"/config-dns/v2/zones/([^/]+)/names/([^/]+)/types/TXT", r.path)
        if not m or m.group(1) != self.zone:
            self.refuse(404, "Not Found")
        key = unquote(m.group(2)), "TXT"
        had = self.sets.get(key)
        if r.method == "POST" and had:
            self.refuse(409, "Recordset already exists")
        if r.method != "POST" and not had:
            self.refuse(404, "Not Found")
        if r.method == "DELETE":
            del self.sets[key]
            return 204, "", {}
        if r.method != "GET":
            body = json.loads(r.body)
            if body["name"] != key[0] or body["type"] != "TXT" or body["ttl"] < 30 or not all(v.startswith('"') for v in body["rdata"]):
                self.refuse(400, "Invalid recordset")
            self.sets[key] = {"ttl": body["ttl"], "values": body["rdata"]}
        s = self.sets[key]
        return 201 if r.method == "POST" else 200, json.dumps({"name": key[0], "type": "TXT", "ttl": s["ttl"], "rdata": s["values"]}), {}


cloud.serve({"huaweicloud": Huawei, "akamai": Akamai}[sys.argv[2]]())
