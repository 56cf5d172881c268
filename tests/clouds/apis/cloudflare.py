"""Cloudflare: developers.cloudflare.com, API reference of DNS records (list, create, delete, batch) and of zones; "Batch record changes" (200 changes in
one request on the free plan; deletes before posts; one transaction). Codes of errors: 81044, 81054, 81058, 9021 as users of the API report them."""
from api import Api, pages

import json

ZONE_ID = "023e105f4ecef8ad9ca31a8372d0c353"


class Cloudflare(Api):
    ttl_least = 60
    routes = (("GET", r"/client/v4/zones", "zones"), ("GET", rf"/client/v4/zones/{ZONE_ID}/dns_records", "listing"),
              ("POST", rf"/client/v4/zones/{ZONE_ID}/dns_records", "create"), ("POST", rf"/client/v4/zones/{ZONE_ID}/dns_records/batch", "batch"),
              ("DELETE", rf"/client/v4/zones/{ZONE_ID}/dns_records/([0-9a-f]+)", "delete"))

    def fail(self, status, code, message):
        self.refuse(status, {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None})

    @staticmethod
    def good(result, **more):
        return {"success": True, "errors": [], "messages": [], "result": result, **more}

    def enter(self, request):
        if request.headers.get("Authorization") != "Bearer secret-of-the-lab":
            self.fail(403, 10000, "Authentication error")

    def missing(self, request):
        self.fail(404, 7003, f"Could not route to {request.path}, perhaps your object identifier is invalid?")

    def paged(self, q, rows, least, most):
        number, size = int(q.get("page", 1)), int(q.get("per_page", 100))
        if not least <= size <= most:
            self.fail(400, 9005, "per_page is out of bounds")
        page, count = pages(rows, number, size)
        return 200, self.good(page, result_info={"page": number, "per_page": size, "count": len(page), "total_count": len(rows), "total_pages": count})

    def zones(self, request):
        rows = [{"id": ZONE_ID, "name": self.zone, "status": "active", "type": "full"}]
        wanted = request.query.get("name")
        return self.paged({"per_page": 20, **request.query}, [z for z in rows if wanted in (None, z["name"])], 5, 50)

    def seen(self, r):
        return {"id": f"{r.id:032x}", "name": r.owner, "type": r.kind, "content": self.show(r.strings), "ttl": r.ttl, "proxiable": False,
                "proxied": False, "settings": {}, "meta": {}, "comment": None, "tags": []}

    def listing(self, request):
        q = request.query
        return self.paged(q, [self.seen(r) for r in self.at(q.get("name"), q.get("type"))], 1, 5000000)

    def added(self, record):
        owner, strings = record["name"].lower(), self.read(record["content"])
        if record["ttl"] != 1 and not 60 <= record["ttl"] <= 86400:
            self.fail(400, 9021, "Invalid TTL. Must be between 60 and 86,400 seconds, or 1 for Automatic.")
        if record["type"] != "TXT" or strings is None:
            self.fail(400, 9009, "Content for TXT record must be quoted character strings.")
        if self.alias(owner):
            self.fail(400, 81054, "A CNAME record with that host already exists.")
        if any(r.strings == strings for r in self.at(owner)):
            self.fail(400, 81058, "An identical record already exists.")
        return self.keep(owner, record["ttl"], strings)

    def gone(self, number):
        r = self.by_id(int(number, 16))
        if not r:
            self.fail(404, 81044, "Record does not exist.")
        self.records.remove(r)
        return {"id": number}

    def create(self, request):
        return 200, self.good(self.seen(self.added(json.loads(request.body))))

    def delete(self, request, number):
        return 200, self.good(self.gone(number))

    def batch(self, request):
        body, before = json.loads(request.body), list(self.records)
        if sum(len(body.get(k) or []) for k in ("deletes", "patches", "puts", "posts")) > 200:
            self.fail(400, 1004, "The number of operations in the batch is limited to 200.")
        try:
            deletes = [self.gone(d["id"]) for d in body.get("deletes") or []]
            return 200, self.good({"deletes": deletes, "posts": [self.seen(self.added(p)) for p in body.get("posts") or []]})
        except Exception:
            self.records = before  # one transaction
            raise
