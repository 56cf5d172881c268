"""DigitalOcean: github.com/digitalocean/openapi, specification/resources/domains (list with name, type, per_page up to 200; links.pages.next; create;
delete). TXT is raw; no backslash, about 510 octets: what DNSControl's integration tests found (providers/digitalocean/auditrecords.go)."""
from api import Api, is_text, pages, read_raw, show_raw

import json
from urllib.parse import urlencode


class DigitalOcean(Api):
    ttl_least = 30
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("GET", r"/v2/domains/ZONE/records", "listing"), ("POST", r"/v2/domains/ZONE/records", "create"),
              ("DELETE", r"/v2/domains/ZONE/records/(\d+)", "delete"))

    def enter(self, request):
        if request.headers.get("Authorization") != "Bearer secret-of-the-lab":
            self.refuse(401, {"id": "Unauthorized", "message": "Unable to authenticate you"})

    def missing(self, request):
        self.refuse(404, {"id": "not_found", "message": "The resource you were accessing could not be found."})

    def carries(self, octets):
        return is_text(octets) and b"\\" not in octets and len(octets) <= 510

    def seen(self, r):
        return {"id": r.id, "type": r.kind, "name": self.relative(r.owner, "@"), "data": self.show(r.strings), "priority": None, "port": None,
                "ttl": r.ttl, "weight": None, "flags": None, "tag": None}

    def listing(self, request):
        q = dict(request.query)
        number, size = int(q.get("page", 1)), int(q.get("per_page", 20))
        if not 1 <= size <= 200:
            self.refuse(422, {"id": "unprocessable_entity", "message": "per_page must be between 1 and 200"})
        rows = [self.seen(r) for r in self.at(q.get("name"), q.get("type"))]
        page, count = pages(rows, number, size)
        more = f"http://{request.headers['Host']}{request.path}?{urlencode({**q, 'page': number + 1})}"
        return 200, {"domain_records": page, "links": {"pages": {"next": more}} if number < count else {}, "meta": {"total": len(rows)}}

    def create(self, request):
        body = json.loads(request.body)
        owner, data = self.owner(body["name"]), body["data"]
        if body["ttl"] < 30:
            self.refuse(422, {"id": "unprocessable_entity", "message": "TTL must be greater than or equal to 30."})
        if body["type"] != "TXT" or not data or not self.carries(data.encode()):
            self.refuse(422, {"id": "unprocessable_entity", "message": "Data is not valid for a TXT record."})
        if self.alias(owner):
            self.refuse(422, {"id": "unprocessable_entity", "message": "CNAME records cannot share a name with other records."})
        return 201, {"domain_record": self.seen(self.keep(owner, body["ttl"], self.read(data)))}

    def delete(self, request, number):
        r = self.by_id(number)
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 204, None
