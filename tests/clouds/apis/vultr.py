"""Vultr: www.vultr.com/api v2 (list-dns-domain-records with cursor and per_page up to 500, create, delete) by way of govultr; TXT stands between quotes, with
none inside, whatever its length: DNSControl's provider, whose integration tests found it."""
from api import Api, is_text, split

import json


class Vultr(Api):
    ttl_least = 120
    routes = (("GET", r"/v2/domains/ZONE/records", "listing"), ("POST", r"/v2/domains/ZONE/records", "create"),
              ("DELETE", r"/v2/domains/ZONE/records/([0-9a-f-]+)", "delete"))

    @staticmethod
    def show(strings):
        return '"' + b"".join(strings).decode() + '"'

    @staticmethod
    def read(text):
        return split(text[1:-1].encode()) if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1] else None

    def carries(self, octets):
        return is_text(octets) and b'"' not in octets

    def stored(self, strings):
        return split(b"".join(strings))

    def fail(self, status, message):
        self.refuse(status, {"error": message, "status": status})

    def enter(self, request):
        if request.headers.get("Authorization") != "Bearer secret-of-the-lab":
            self.fail(401, "Invalid API token.")

    def missing(self, request):
        self.fail(404, "Invalid resource.")

    def seen(self, r):
        return {"id": f"cb676a46-66fd-4dfb-b839-{r.id:012x}", "type": r.kind, "name": self.relative(r.owner), "data": self.show(r.strings),
                "priority": -1, "ttl": r.ttl}

    def listing(self, request):
        at, size = int(request.query.get("cursor") or 0), int(request.query.get("per_page", 100))
        if not 1 <= size <= 500:
            self.fail(400, "Invalid per_page.")
        size, rows = min(size, 100), [self.seen(r) for r in self.at(None, None)]  # 100: a zone of the test has several pages
        return 200, {"records": rows[at:at + size],
                     "meta": {"total": len(rows), "links": {"next": str(at + size) if rows[at + size:] else "", "prev": ""}}}

    def create(self, request):
        body = json.loads(request.body)
        owner, strings = self.owner(body["name"]), self.read(body["data"])
        if body["type"] != "TXT" or strings is None or body["ttl"] < 120:
            self.fail(400, "Invalid record data.")
        if self.alias(owner):
            self.fail(400, "A CNAME record may not coexist with other records.")
        return 201, {"record": self.seen(self.keep(owner, body["ttl"], strings))}

    def delete(self, request, number):
        r = self.by_id(int(number.rsplit("-", 1)[1], 16))
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 204, None
