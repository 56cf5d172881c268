"""Gandi LiveDNS: api.gandi.net/docs/livedns (records by name and type: GET, PUT, DELETE; the list pages by page and per_page, 500 at most), by way of
go-gandi, octodns-gandi and DNSControl; TXT as quoted strings, quotes are added where they are missing; TTL 300 to 2592000."""
from api import Api, pages, split

import json


class Gandi(Api):
    ttl_least = 300
    routes = (("GET", r"/v5/livedns/domains/ZONE/records", "listing"), ("GET", r"/v5/livedns/domains/ZONE/records/([^/]+)/TXT", "one"),
              ("PUT", r"/v5/livedns/domains/ZONE/records/([^/]+)/TXT", "write"), ("DELETE", r"/v5/livedns/domains/ZONE/records/([^/]+)/TXT", "delete"))

    def enter(self, request):
        if request.headers.get("Authorization") != "Bearer secret-of-the-lab":
            self.refuse(403, {"code": 403, "message": "Access was denied to this resource.", "object": "HTTPForbidden", "cause": "Forbidden"})

    def missing(self, request):
        self.refuse(404, {"code": 404, "message": "Can't find the DNS record in the zone", "object": "dns-record", "cause": "Not Found"})

    def seen(self, name):
        rows = self.at(self.owner(name))
        return {"rrset_name": name, "rrset_type": "TXT", "rrset_ttl": rows[0].ttl, "rrset_values": [self.show(r.strings) for r in rows],
                "rrset_href": f"https://api.gandi.net/v5/livedns/domains/{self.zone}/records/{name}/TXT"}

    def listing(self, request):
        other = [{"rrset_name": "@", "rrset_type": "NS", "rrset_ttl": 10800, "rrset_values": ["ns-1-a.gandi.net."]}]
        rows = other + [self.seen(n) for n in sorted({self.relative(r.owner, "@") for r in self.at()})]
        return 200, pages(rows, int(request.query.get("page", 1)), min(500, int(request.query.get("per_page", 100))))[0]

    def one(self, request, name):
        if not self.at(self.owner(name)):
            self.missing(request)
        return 200, self.seen(name)

    def write(self, request, name):
        body = json.loads(request.body)
        values = [self.read(v) if v.startswith('"') else split(v.encode()) for v in body["rrset_values"]]
        wrong = "rrset_ttl" if not 300 <= body.get("rrset_ttl", 10800) <= 2592000 else "rrset_values" if not values or None in values else None
        if wrong:
            self.refuse(400, {"status": "error", "errors": [{"location": "body", "name": wrong, "description": f"{wrong}: not acceptable"}]})
        if self.alias(self.owner(name)):
            self.refuse(400, {"status": "error", "errors": [{"location": "body", "name": None, "description": "a CNAME record already exists"}]})
        self.replace(self.owner(name), body.get("rrset_ttl", 10800), values)
        return 201, {"message": "DNS Record Created"}

    def delete(self, request, name):
        if not self.at(self.owner(name)):
            self.missing(request)
        self.replace(self.owner(name), 0, [])
        return 204, None
