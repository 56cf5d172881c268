"""bunny.net: docs.bunny.net/reference (dnszone: list with search, get with Records, PUT and DELETE of records; TXT is Type 3), by way of DNSControl's provider;
TXT is raw."""
from api import Api, pages, read_raw, show_raw

import json


class Bunny(Api):
    ttl_least = 15
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("GET", r"/dnszone", "zones"), ("GET", r"/dnszone/77", "one"), ("PUT", r"/dnszone/77/records", "create"),
              ("DELETE", r"/dnszone/77/records/(\d+)", "delete"))

    def enter(self, request):
        if request.headers.get("AccessKey") != "secret-of-the-lab":
            self.refuse(401, {"Message": "Authorization has been denied for this request."})

    def missing(self, request):
        self.refuse(404, {"ErrorKey": "dnszone.record.not_found", "Field": None, "Message": "The requested record was not found"})

    def zones(self, request):
        q = request.query
        rows = [{"Id": 76 + i, "Domain": d, "Records": []} for i, d in enumerate((f"x{self.zone}", self.zone)) if q.get("search", "") in d]
        page, count = pages(rows, int(q.get("page", 1)), min(1000, max(5, int(q.get("perPage", 1000)))))
        return 200, {"Items": page, "CurrentPage": int(q.get("page", 1)), "TotalItems": len(rows), "HasMoreItems": int(q.get("page", 1)) < count}

    def seen(self, r):
        return {"Id": r.id, "Type": {"TXT": 3, "CNAME": 2}[r.kind], "Ttl": r.ttl, "Value": self.show(r.strings), "Name": self.relative(r.owner),
                "Weight": 0, "Priority": 0, "Port": 0, "Flags": 0, "Tag": "", "Disabled": False, "Comment": None}

    def one(self, request):
        return 200, {"Id": 77, "Domain": self.zone, "Records": [self.seen(r) for r in self.at(None, None)]}

    def create(self, request):
        body = json.loads(request.body)
        owner = self.owner(body["Name"])
        if body["Type"] != 3 or not body["Value"] or body["Ttl"] < 15 or self.alias(owner):
            self.refuse(400, {"ErrorKey": "validation_error", "Field": "Value", "Message": "The value is not valid, or a CNAME record exists."})
        return 201, self.seen(self.keep(owner, body["Ttl"], self.read(body["Value"])))

    def delete(self, request, number):
        r = self.by_id(number)
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 204, None
