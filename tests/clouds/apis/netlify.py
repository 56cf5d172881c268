"""Netlify: github.com/netlify/open-api (getDnsZones, getDnsRecords, createDnsRecord, deleteDnsRecord: plain lists, owners as whole names), by way of DNSControl's
provider; TXT is raw."""
from api import Api, read_raw, show_raw

import json

ZONE_ID = "5e1d1a2b3c"


class Netlify(Api):
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("GET", r"/api/v1/dns_zones", "zones"), ("GET", rf"/api/v1/dns_zones/{ZONE_ID}/dns_records", "listing"),
              ("POST", rf"/api/v1/dns_zones/{ZONE_ID}/dns_records", "create"), ("DELETE", rf"/api/v1/dns_zones/{ZONE_ID}/dns_records/([0-9a-f]+)", "delete"))

    def enter(self, request):
        if request.headers.get("Authorization") != "Bearer secret-of-the-lab":
            self.refuse(401, {"code": 401, "message": "Access Denied: Unauthorized"})

    def missing(self, request):
        self.refuse(404, {"code": 404, "message": "Not Found"})

    def zones(self, request):
        return 200, [{"id": ZONE_ID, "name": self.zone, "records": [], "dns_servers": ["dns1.p01.nsone.net"], "dedicated": True, "errors": []}]

    def seen(self, r):
        return {"id": f"{r.id:024x}", "hostname": r.owner, "type": r.kind, "value": self.show(r.strings), "ttl": r.ttl, "priority": None,
                "dns_zone_id": ZONE_ID, "site_id": None, "flag": None, "tag": None, "managed": False}

    def listing(self, request):
        return 200, [self.seen(r) for r in self.at(None, None)]

    def create(self, request):
        body = json.loads(request.body)
        if body["type"] != "TXT" or not body["value"] or self.alias(body["hostname"]):
            self.refuse(422, {"code": 422, "message": "Unprocessable: value is not valid, or the hostname is in use"})
        return 201, self.seen(self.keep(body["hostname"], body.get("ttl", 3600), self.read(body["value"])))

    def delete(self, request, number):
        r = self.by_id(int(number, 16))
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 204, None
