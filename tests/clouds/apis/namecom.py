"""Name.com: docs.name.com, v4 (records: list with nextPage, create, delete; empty lists are left out), by way of the official Go client namedotcom/go; owners end
with a dot in fqdn; TXT as quoted strings of at most 512 octets together, TTL 300 and more: DNSControl's provider and its integration tests."""
from api import Api, pages

import base64
import json


class Namecom(Api):
    ttl_least = 300
    PAGE = 100  # 1000 there
    routes = (("GET", r"/v4/domains/ZONE/records", "listing"), ("POST", r"/v4/domains/ZONE/records", "create"),
              ("DELETE", r"/v4/domains/ZONE/records/(\d+)", "delete"))

    def fail(self, status, message, details=""):
        self.refuse(status, {"message": message, "details": details})

    def enter(self, request):
        if request.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:secret-of-the-lab").decode():
            self.fail(401, "Unauthorized", "Invalid credentials")

    def missing(self, request):
        self.fail(404, "Not Found")

    def carries(self, octets):
        return len(self.show([octets])) <= 500

    def seen(self, r):
        return {"id": r.id, "domainName": self.zone, **({"host": self.relative(r.owner)} if r.owner != self.zone else {}), "fqdn": r.owner + ".",
                "type": r.kind, "answer": self.show(r.strings), "ttl": r.ttl}

    def listing(self, request):
        number = int(request.query.get("page", 1))
        page, count = pages([self.seen(r) for r in self.at(None, None)], number, self.PAGE)
        return 200, {**({"records": page} if page else {}), **({"nextPage": number + 1, "lastPage": count} if number < count else {})}

    def create(self, request):
        body = json.loads(request.body)
        owner, strings = self.owner(body.get("host", "")), self.read(body["answer"])
        if strings is None or len(body["answer"]) > 512 or body["type"] != "TXT":
            self.fail(400, "Invalid Argument", "Parameter Value Error - Invalid Answer")
        if body["ttl"] < 300:
            self.fail(400, "Invalid Argument", "Parameter Value Error - Invalid TTL")
        if self.alias(owner):
            self.fail(400, "Invalid Argument", "Parameter Value Error - Conflicting Record")
        return 200, self.seen(self.keep(owner, body["ttl"], strings))

    def delete(self, request, number):
        r = self.by_id(number)
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 200, {}
