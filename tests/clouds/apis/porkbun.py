"""Porkbun: porkbun.com/api/json/v3/documentation (dns/retrieve, dns/create, dns/delete; keys in the body; a TTL below 600 becomes 600), DNSControl's provider
and its integration tests (TXT is raw, owners are whole names), nrdcg/porkbun."""
from api import Api, read_raw, show_raw

import json


class Porkbun(Api):
    ttl_least = 600
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("POST", r"/api/json/v3/dns/retrieve/ZONE", "listing"), ("POST", r"/api/json/v3/dns/create/ZONE", "create"),
              ("POST", r"/api/json/v3/dns/delete/ZONE/(\d+)", "delete"))

    def fail(self, message):
        self.refuse(400, {"status": "ERROR", "message": message})

    def enter(self, request):
        body = json.loads(request.body)
        if body.get("apikey") != "secret-of-the-lab" or body.get("secretapikey") != "secret-of-the-lab":
            self.fail("Invalid API key. (002)")

    def missing(self, request):
        self.fail("Invalid domain.")

    def is_write(self, method, rest):
        return not rest.startswith("/api/json/v3/dns/retrieve/")

    def listing(self, request):
        return 200, {"status": "SUCCESS", "cloudflare": "enabled",
                     "records": [{"id": str(r.id), "name": r.owner, "type": r.kind, "content": self.show(r.strings), "ttl": str(r.ttl), "prio": "0",
                                  "notes": ""} for r in self.at(None, None)]}

    def create(self, request):
        body = json.loads(request.body)
        owner, content = self.owner(body.get("name", "")), body["content"].rstrip(" ")
        if not content or body["type"] != "TXT" or self.alias(owner):
            self.fail("Create error: We were unable to create the DNS record.")
        return 200, {"status": "SUCCESS", "id": self.keep(owner, self.ttl(int(body.get("ttl", 600))), self.read(content)).id}

    def delete(self, request, number):
        r = self.by_id(number)
        if not r:
            self.fail("Delete error: We were unable to delete the DNS record.")
        self.records.remove(r)
        return 200, {"status": "SUCCESS"}
