"""Domeneshop: api.domeneshop.no/docs (domains with domain=, dns with host= and type=, POST 201 {"id"}, DELETE 204, 409 for a collision), by way of DNSControl's
provider; TXT is raw; TTLs are multiples of 60."""
from api import Api, read_raw, show_raw

import base64
import json


class Domeneshop(Api):
    ttl_least = 60
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("GET", r"/v0/domains", "domains"), ("GET", r"/v0/domains/4711/dns", "listing"), ("POST", r"/v0/domains/4711/dns", "create"),
              ("DELETE", r"/v0/domains/4711/dns/(\d+)", "delete"))

    def enter(self, request):
        if request.headers.get("Authorization") != "Basic " + base64.b64encode(b"token:secret-of-the-lab").decode():
            self.refuse(401, {"code": "unauthorized", "help": "See the documentation"})

    def missing(self, request):
        self.refuse(404, {"code": "record:not-found", "help": "The record does not exist"})

    def domains(self, request):
        return 200, [{"id": 4711, "domain": self.zone, "status": "active", "nameservers": ["ns1.hyp.net"], "services": {"dns": True}}]

    def listing(self, request):
        q = request.query
        return 200, [{"id": r.id, "host": self.relative(r.owner, "@"), "ttl": r.ttl, "type": r.kind, "data": self.show(r.strings)}
                     for r in self.at(self.owner(q["host"]) if "host" in q else None, q.get("type"))]

    def create(self, request):
        body = json.loads(request.body)
        owner, strings = self.owner(body["host"]), self.read(body["data"])
        if body["type"] != "TXT" or not body["data"] or body["ttl"] % 60 or not 60 <= body["ttl"] <= 604800:
            self.refuse(400, {"code": "record:invalid", "help": "TTL must be a multiple of 60 seconds, between 60 and 604800."})
        if self.alias(owner) or any(r.strings == strings for r in self.at(owner)):
            self.refuse(409, {"code": "record:collision", "help": "DNS record collision"})
        return 201, {"id": self.keep(owner, body["ttl"], strings).id}

    def delete(self, request, number):
        r = self.by_id(number)
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 204, None
