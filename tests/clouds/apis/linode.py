"""Linode: techdocs.akamai.com/linode-api (get-domains, get-domain-records, post-domain-record, delete-domain-record; pages of 25 to 500; TTLs are rounded to
those of a ladder), DNSControl's provider of the same. TXT is raw; names are 1 to 100 characters."""
from api import Api, pages, read_raw, show_raw

import json

LADDER = (300, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 345600, 604800, 1209600, 2419200)


class Linode(Api):
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("GET", r"/v4/domains", "domains"), ("GET", r"/v4/domains/1234/records", "listing"), ("POST", r"/v4/domains/1234/records", "create"),
              ("DELETE", r"/v4/domains/1234/records/(\d+)", "delete"))

    def ttl(self, wanted):
        return next((t for t in LADDER if t >= wanted), LADDER[-1])

    def fail(self, status, reason, field=None):
        self.refuse(status, {"errors": [{"reason": reason, **({"field": field} if field else {})}]})

    def enter(self, request):
        if request.headers.get("Authorization") != "Bearer secret-of-the-lab":
            self.fail(401, "Invalid Token")

    def missing(self, request):
        self.fail(404, "Not found")

    def paged(self, request, rows):
        number, size = int(request.query.get("page", 1)), int(request.query.get("page_size", 100))
        if not 25 <= size <= 500:
            self.fail(400, "Must be 25-500", "page_size")
        page, count = pages(rows, number, size)
        return 200, {"data": page, "page": number, "pages": count, "results": len(rows)}

    def domains(self, request):
        return self.paged(request, [{"id": 1233, "domain": f"x{self.zone}", "type": "master"}, {"id": 1234, "domain": self.zone, "type": "master"}])

    def seen(self, r):
        return {"id": r.id, "type": r.kind, "name": self.relative(r.owner), "target": self.show(r.strings), "priority": 0, "weight": 0, "port": 0,
                "service": None, "protocol": None, "ttl_sec": r.ttl, "tag": None, "created": "2026-01-01T00:00:00", "updated": "2026-01-01T00:00:00"}

    def listing(self, request):
        return self.paged(request, [self.seen(r) for r in self.at(None, None)])

    def create(self, request):
        body = json.loads(request.body)
        owner = self.owner(body["name"])
        if body["type"] != "TXT" or not body["target"] or len(body["name"]) > 100:
            self.fail(400, "Invalid target", "target")
        if self.alias(owner):
            self.fail(400, "Record conflict - CNAMES must be unique", "name")
        return 200, self.seen(self.keep(owner, self.ttl(body.get("ttl_sec") or 86400), self.read(body["target"])))

    def delete(self, request, number):
        r = self.by_id(number)
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 200, {}
