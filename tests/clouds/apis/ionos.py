"""IONOS: developer.hosting.ionos.com/docs/dns v1 (zones, a zone with recordName and recordType, POST of a list of records, DELETE), by way of the vendor's
acme.sh script and lego's client and fixtures; TXT is sent raw and comes back in quotes; TTL 60 and more."""
from api import Api, is_text, read_raw, show_quoted

import json

ZONE_ID = "11af3414-ebba-11e9-8df5-66fbe8a334b4"


class Ionos(Api):
    ttl_least = 60
    show, read = staticmethod(show_quoted), staticmethod(read_raw)
    routes = (("GET", r"/dns/v1/zones", "zones"), ("GET", rf"/dns/v1/zones/{ZONE_ID}", "one"), ("POST", rf"/dns/v1/zones/{ZONE_ID}/records", "create"),
              ("DELETE", rf"/dns/v1/zones/{ZONE_ID}/records/([0-9a-f-]+)", "delete"))

    def fail(self, status, code, message):
        self.refuse(status, [{"code": code, "message": message}])

    def enter(self, request):
        if request.headers.get("X-API-Key") != "secret-of-the-lab":
            self.fail(401, "UNAUTHORIZED", "The customer is not authorized to do this operation.")

    def missing(self, request):
        self.fail(404, "RECORD_NOT_FOUND", "Record does not exist.")

    def carries(self, octets):
        return is_text(octets)

    def seen(self, r):
        return {"name": r.owner, "rootName": self.zone, "type": r.kind, "content": self.show(r.strings), "changeDate": "2026-01-01T00:00:00.000Z",
                "ttl": r.ttl, "disabled": False, "id": f"22af3414-abbe-9e11-5df5-{r.id:012x}"}

    def zones(self, request):
        return 200, [{"name": f"x{self.zone}", "id": "1", "type": "NATIVE"}, {"name": self.zone, "id": ZONE_ID, "type": "NATIVE"}]

    def one(self, request):
        q = request.query
        return 200, {"name": self.zone, "id": ZONE_ID, "type": "NATIVE", "records": [self.seen(r) for r in self.at(q.get("recordName"), q.get("recordType"))]}

    def create(self, request):
        made = []
        for r in json.loads(request.body):
            if r["type"] != "TXT" or not r["content"] or r["ttl"] < 60 or self.alias(r["name"]):
                self.fail(400, "INVALID_RECORD", "The record is not valid, or a CNAME exists.")
            made.append(self.keep(r["name"], r["ttl"], self.read(r["content"])))
        return 201, [self.seen(r) for r in made]

    def delete(self, request, number):
        r = self.by_id(int(number.rsplit("-", 1)[1], 16))
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 200, None
