"""Scaleway: www.scaleway.com/en/developers/api/domains-and-dns (list with name, type, page, page_size; PATCH with a list of changes, carried out in order and
as a whole), by way of scaleway-sdk-go's names, octodns-scaleway and lego; TXT in quotes; TTL 60 and more."""
from api import Api, pages

import json


class Scaleway(Api):
    ttl_least = 60
    routes = (("GET", r"/domain/v2beta1/dns-zones/ZONE/records", "listing"), ("PATCH", r"/domain/v2beta1/dns-zones/ZONE/records", "change"))

    def enter(self, request):
        if request.headers.get("X-Auth-Token") != "secret-of-the-lab":
            self.refuse(401, {"type": "denied_authentication", "method": "api_key", "reason": "invalid_argument", "message": "authentication is denied"})

    def missing(self, request):
        self.refuse(403, {"type": "permissions_denied", "message": "insufficient permissions"})

    def invalid(self, message):
        self.refuse(400, {"type": "invalid_arguments", "message": "invalid argument(s)", "details": [{"argument_name": "changes", "help_message": message}]})

    def seen(self, r):
        return {"id": f"65db8fb5-0000-0000-0000-{r.id:012x}", "name": self.relative(r.owner), "type": r.kind, "data": self.show(r.strings), "ttl": r.ttl,
                "priority": 0, "comment": None}

    def listing(self, request):
        q = request.query
        rows = [self.seen(r) for r in self.at(self.owner(q["name"]) if "name" in q else None, q.get("type"))]
        size = int(q.get("page_size", 20))
        if size > 1000:
            self.invalid("page_size is 1000 at most")
        return 200, {"total_count": len(rows), "records": pages(rows, int(q.get("page", 1)), size)[0]}

    def add(self, record):
        owner, strings = self.owner(record["name"]), self.read(record["data"])
        if record["type"] != "TXT" or strings is None or not 60 <= record["ttl"]:
            self.invalid("the record is not valid")
        if self.alias(owner):
            self.invalid("a CNAME record exists with this name")
        if any(r.strings == strings for r in self.at(owner)):
            self.invalid("the record exists")
        self.keep(owner, record["ttl"], strings)

    def drop_one(self, number):
        r = self.by_id(int(number.rsplit("-", 1)[1], 16))
        if not r:
            self.refuse(404, {"type": "not_found", "resource": "record", "resource_id": number, "message": "resource is not found"})
        self.records.remove(r)

    def change(self, request):
        body, before = json.loads(request.body), list(self.records)
        if not body.get("disallow_new_zone_creation") or not body["changes"]:
            self.invalid("changes")
        try:
            for change in body["changes"]:
                (what, with_), = change.items()
                if what == "add":
                    for record in with_["records"]:
                        self.add(record)
                else:
                    self.drop_one(with_["id"])
        except Exception:
            self.records = before
            raise
        return 200, {"records": []}
