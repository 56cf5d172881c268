"""NS1: developer.ibm.com (NS1 Connect: records by zone, domain and type: GET, PUT creates, POST changes what it names, DELETE), by way of ns1-go and DNSControl's
provider: an answer's rdata is one text, made into strings by the server; {"message": ...} for errors."""
from api import Api, read_raw, show_raw

import json


class Ns1(Api):
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("GET", r"/v1/zones/ZONE/([^/]+)/TXT", "one"), ("PUT", r"/v1/zones/ZONE/([^/]+)/TXT", "create"),
              ("POST", r"/v1/zones/ZONE/([^/]+)/TXT", "change"), ("DELETE", r"/v1/zones/ZONE/([^/]+)/TXT", "delete"))

    def enter(self, request):
        if request.headers.get("X-NSONE-Key") != "secret-of-the-lab":
            self.refuse(401, {"message": "Unauthorized"})

    def missing(self, request):
        self.refuse(404, {"message": "record not found"})

    def seen(self, owner):
        rows = self.at(owner)
        return {"id": "608212d5", "zone": self.zone, "domain": owner, "type": "TXT", "ttl": rows[0].ttl, "tier": 1, "meta": {}, "regions": {},
                "filters": [], "use_client_subnet": True, "answers": [{"id": f"{r.id:x}", "answer": [self.show(r.strings)]} for r in rows]}

    def one(self, request, owner):
        if not self.at(owner):
            self.missing(request)
        return 200, self.seen(owner)

    def written(self, owner, body, ttl):
        if not body["answers"] or not all(len(a["answer"]) == 1 and a["answer"][0] for a in body["answers"]):
            self.refuse(400, {"message": "invalid: Input validation failed (Value for field '<obj>.answers' is not acceptable)"})
        if self.alias(owner):
            self.refuse(400, {"message": "record creation would conflict with a CNAME"})
        self.replace(owner, body.get("ttl", ttl), [self.read(a["answer"][0]) for a in body["answers"]])
        return 200, self.seen(owner)

    def create(self, request, owner):
        body = json.loads(request.body)
        if self.at(owner):
            self.refuse(400, {"message": "record already exists"})
        if (body["zone"], body["domain"], body["type"]) != (self.zone, owner, "TXT"):
            self.refuse(400, {"message": "invalid: path and body differ"})
        return self.written(owner, body, 3600)

    def change(self, request, owner):
        if not self.at(owner):
            self.missing(request)
        return self.written(owner, json.loads(request.body), self.at(owner)[0].ttl)

    def delete(self, request, owner):
        if not self.at(owner):
            self.missing(request)
        self.replace(owner, 0, [])
        return 200, {}
