"""LuaDNS: luadns.com/api.html (zones and records as plain lists, 200 for all that went well, {"status", "request_id", "message"} for what did not), and answers
of the service in Lexicon's recorded tests: owners with a final dot, the newest record first, a deleted record is answered whole. TXT is raw. What happens to a
value that is there already, to a record beside a CNAME and to a short TTL is assumed to be a refusal (422)."""
from api import Api, read_raw, show_raw

import base64
import json

ZONE_ID = 39105


class Luadns(Api):
    ttl_least = 300
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("GET", r"/v1/zones", "zones"), ("GET", rf"/v1/zones/{ZONE_ID}/records", "listing"), ("POST", rf"/v1/zones/{ZONE_ID}/records", "create"),
              ("DELETE", rf"/v1/zones/{ZONE_ID}/records/(\d+)", "delete"))

    def fail(self, status, words, message):
        self.refuse(status, {"status": words, "request_id": "6d1a0f2c", "message": message})

    def enter(self, request):
        if request.headers.get("Authorization") != "Basic " + base64.b64encode(b"me@example.hk:secret-of-the-lab").decode():
            self.fail(401, "Unauthorized", "Authentication failed.")
        if request.headers.get("Accept") != "application/json":
            self.fail(400, "Bad Request", "Set the Accept header to application/json.")

    def missing(self, request):
        self.fail(404, "Not Found", "Resource not found.")

    def zones(self, request):
        return 200, [{"id": 7, "name": "example.net", "template_id": 0, "synced": True, "records_count": 6},
                     {"id": ZONE_ID, "name": self.zone, "template_id": 0, "synced": True, "records_count": len(self.records)}]

    def seen(self, r):
        return {"id": r.id, "name": f"{r.owner}.", "type": r.kind, "content": self.show(r.strings), "ttl": r.ttl, "zone_id": ZONE_ID, "generated": False,
                "created_at": "2026-01-01T00:00:00.000001Z", "updated_at": "2026-01-01T00:00:00.000002Z"}

    def listing(self, request):
        first = {"id": 1, "name": f"{self.zone}.", "type": "SOA", "content": "ns1.luadns.net. hostmaster.luadns.com. 1 1200 120 604800 3600", "ttl": 3600,
                 "zone_id": ZONE_ID, "generated": False}
        return 200, [self.seen(r) for r in reversed(self.at(None, None))] + [first]

    def create(self, request):
        body = json.loads(request.body)
        name = body["name"].lower()
        if not name.endswith(f"{self.zone}.") or body["type"] != "TXT" or not body["content"] or not 300 <= body["ttl"]:
            self.fail(422, "Unprocessable Entity", "The record is not valid.")
        owner, strings = name[:-1], self.read(body["content"])
        if self.alias(owner) or any(r.strings == strings for r in self.at(owner)):
            self.fail(422, "Unprocessable Entity", "The record exists, or a CNAME stands there.")
        return 200, self.seen(self.keep(owner, body["ttl"], strings))

    def delete(self, request, number):
        r = self.by_id(number)
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 200, self.seen(r)
