"""DNSimple: github.com/dnsimple/dnsimple-developer, content/v2/zones/records.md (filters name and type, pages of at most 100, create 201, delete 204) and the
fixtures there; TXT as quoted strings: DNSControl's provider."""
from api import Api, pages

import json


class Dnsimple(Api):
    routes = (("GET", r"/v2/1010/zones/ZONE/records", "listing"), ("POST", r"/v2/1010/zones/ZONE/records", "create"),
              ("DELETE", r"/v2/1010/zones/ZONE/records/(\d+)", "delete"))

    def enter(self, request):
        if request.headers.get("Authorization") != "Bearer secret-of-the-lab":
            self.refuse(401, {"message": "Authentication failed"})

    def missing(self, request):
        self.refuse(404, {"message": f"Record `{request.path.rsplit('/', 1)[1]}` not found"})

    def seen(self, r):
        return {"id": r.id, "zone_id": self.zone, "parent_id": None, "name": self.relative(r.owner), "content": self.show(r.strings), "ttl": r.ttl,
                "priority": None, "type": r.kind, "regions": ["global"], "system_record": False, "created_at": "2026-01-01T00:00:00Z",
                "updated_at": "2026-01-01T00:00:00Z"}

    def listing(self, request):
        q = request.query
        number, size = int(q.get("page", 1)), int(q.get("per_page", 30))
        if size > 100:
            self.refuse(400, {"message": "Invalid per_page"})
        rows = [self.seen(r) for r in self.at(self.owner(q["name"]) if "name" in q else None, q.get("type"))]
        page, count = pages(rows, number, size)
        return 200, {"data": page, "pagination": {"current_page": number, "per_page": size, "total_entries": len(rows), "total_pages": count}}

    def create(self, request):
        body = json.loads(request.body)
        owner, strings = self.owner(body["name"]), self.read(body["content"])
        if strings is None or body["type"] != "TXT" or self.alias(owner):
            self.refuse(400, {"message": "Validation failed", "errors": {"content": ["is not valid"]}})
        return 201, {"data": self.seen(self.keep(owner, body.get("ttl", 3600), strings))}

    def delete(self, request, number):
        r = self.by_id(number)
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 204, None
