"""Hetzner Cloud: docs.hetzner.cloud, "Zone RRSets" and "Zone RRSet actions" (add_records, remove_records; actions run for a while), by way of hcloud-go's
schema and lego's fixtures; TXT as quoted strings of at most 255 octets; a TTL that is null is the zone's. What happens to a value that is there, or to
another TTL, is assumed to be a refusal."""
from api import Api, pages

import json

ZONE_TTL = 3600


class Hetzner(Api):
    ttl_least = 60
    routes = (("GET", r"/v1/zones/ZONE/rrsets", "listing"), ("GET", r"/v1/zones/ZONE/rrsets/([^/]+)/TXT", "one"),
              ("POST", r"/v1/zones/ZONE/rrsets/([^/]+)/TXT/actions/add_records", "add"),
              ("POST", r"/v1/zones/ZONE/rrsets/([^/]+)/TXT/actions/remove_records", "remove"), ("GET", r"/v1/actions/(\d+)", "action"))

    def __init__(self, zone):
        super().__init__(zone)
        self.running = set()

    def fail(self, status, code, message):
        self.refuse(status, {"error": {"code": code, "message": message, "details": None}})

    def enter(self, request):
        if request.headers.get("Authorization") != "Bearer secret-of-the-lab":
            self.fail(401, "unauthorized", "unable to authenticate")

    def missing(self, request):
        self.fail(404, "not_found", "not found")

    def seen(self, name):
        rows = self.at(self.owner(name))
        return {"id": f"{name}/TXT", "name": name, "type": "TXT", "ttl": rows[0].ttl if rows[0].ttl != ZONE_TTL else None, "labels": {},
                "protection": {"change": False}, "records": [{"value": self.show(r.strings), "comment": ""} for r in rows], "zone": 42}

    def one(self, request, name):
        if not self.at(self.owner(name)):
            self.missing(request)
        return 200, {"rrset": self.seen(name)}

    def listing(self, request):
        q = request.query
        number, size = int(q.get("page", 1)), int(q.get("per_page", 25))
        if size > 50:
            self.fail(400, "invalid_input", "invalid input in field 'per_page'")
        names = sorted({self.relative(r.owner, "@") for r in self.at(None, q.get("type"))})
        page, count = pages(names, number, size)
        return 200, {"rrsets": [self.seen(n) for n in page],
                     "meta": {"pagination": {"page": number, "per_page": size, "previous_page": number - 1 or None,
                                             "next_page": number + 1 if number < count else None, "last_page": count, "total_entries": len(names)}}}

    def begun(self, command):
        number = self.number()
        if number % 4 == 0:
            self.running.add(number)
        return 201, {"action": {"id": number, "command": command, "status": "running", "progress": 0, "finished": None, "error": None,
                                "started": "2026-01-01T00:00:00Z", "resources": [{"id": 42, "type": "zone"}]}}

    def values(self, body):
        values = [self.read(r["value"]) for r in body["records"]]
        if not values or None in values:
            self.fail(422, "invalid_input", "invalid input in field 'records': TXT records must be quoted strings")
        return values

    def add(self, request, name):
        body, owner = json.loads(request.body), self.owner(name)
        values, there = self.values(body), self.at(owner)
        if name != name.lower() or not 60 <= (body.get("ttl") or 60) <= 2147483647:
            self.fail(422, "invalid_input", "invalid input in field 'ttl'")
        if self.alias(owner):
            self.fail(422, "invalid_input", "RRSet conflicts with a CNAME")
        if there and body.get("ttl") not in (None, there[0].ttl):
            self.fail(422, "invalid_input", "the RRSet has another TTL")
        if any(r.strings in values for r in there):
            self.fail(409, "uniqueness_error", "record already exists")
        for strings in values:
            self.keep(owner, there[0].ttl if there else body.get("ttl") or ZONE_TTL, strings)
        return self.begun("add_rrset_records")

    def remove(self, request, name):
        values = self.values(json.loads(request.body))
        gone = [r for r in self.at(self.owner(name)) if r.strings in values]
        if len(gone) != len(values):
            self.fail(404, "not_found", "record not found")
        self.records = [r for r in self.records if r not in gone]
        return self.begun("remove_rrset_records")

    def action(self, request, number):
        status = "running" if int(number) in self.running else "success"
        self.running.discard(int(number))
        return 200, {"action": {"id": int(number), "status": status, "progress": 100 if status == "success" else 50, "error": None}}
