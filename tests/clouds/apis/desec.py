"""deSEC: github.com/desec-io/desec-stack, docs/dns/rrsets.rst (bulk PATCH is atomic; [] deletes; "@" in paths, "" in bodies; cursor pagination by Link;
TXT in presentation form, strings quoted) and docs/rate-limits.rst; the smallest TTL is the domain's, 3600."""
from api import Api

import json


class Desec(Api):
    ttl_least = 3600
    PAGE = 100  # 500 there
    routes = (("GET", r"/api/v1/domains/ZONE/rrsets/", "listing"), ("GET", r"/api/v1/domains/ZONE/rrsets/([^/]+)/TXT/", "one"),
              ("PATCH", r"/api/v1/domains/ZONE/rrsets/", "bulk"))

    def enter(self, request):
        if request.headers.get("Authorization") != "Token secret-of-the-lab":
            self.refuse(401, {"detail": "Invalid token."})

    def missing(self, request):
        self.refuse(404, {"detail": "Not found."})

    def seen(self, owner):
        rows = self.at(owner)
        return {"created": "2026-01-01T00:00:00Z", "domain": self.zone, "subname": self.relative(owner), "name": owner + ".", "type": "TXT",
                "records": [self.show(r.strings) for r in rows], "ttl": rows[0].ttl, "touched": "2026-01-01T00:00:00Z"}

    def answer(self, request):
        status, body, headers = super().answer(request)
        if self.more:
            path = f"<http://{request.headers['Host']}/api/v1/domains/{self.zone}/rrsets/?type=TXT&cursor="
            headers = {**headers, "Link": f'{path}>; rel="first", {path}{self.more}>; rel="next"'}
        return status, body, headers

    more = None

    def listing(self, request):
        owners = sorted({r.owner for r in self.at(None, request.query.get("type"))})
        if "cursor" not in request.query and len(owners) > self.PAGE:
            self.refuse(400, {"detail": f"Pagination required. You can query up to {self.PAGE} items at a time."})
        at = int(request.query.get("cursor") or 0)
        self.more = str(at + self.PAGE) if owners[at + self.PAGE:] else None
        return 200, [self.seen(o) for o in owners[at:at + self.PAGE]]

    def one(self, request, name):
        self.more = None
        if not self.at(self.owner(name)):
            self.missing(request)
        return 200, self.seen(self.owner(name))

    def wrong(self, s):
        if s["type"] != "TXT" or s["subname"] == "@" or s["subname"] != s["subname"].lower():
            return {"subname": ["Subname can only use (lowercase) a-z, 0-9, ., -, and _, may start with a '*.', or just be '*'."]}
        if s["records"] and not 3600 <= s["ttl"] <= 604800:
            return {"ttl": ["Ensure this value is greater than or equal to 3600."]}
        if any(self.read(v) is None for v in s["records"]):
            return {"records": ["Record content for type TXT malformed"]}
        if s["records"] and self.alias(self.owner(s["subname"])):
            return {"non_field_errors": ["RRset with conflicting type present: 1 (CNAME). (No other RRsets are allowed alongside CNAME.)"]}
        return {}

    def bulk(self, request):
        sets, self.more = json.loads(request.body), None
        faults = [self.wrong(s) for s in sets]
        if any(faults):
            self.refuse(400, faults)
        if len({s["subname"] for s in sets}) != len(sets):
            self.refuse(400, [{"non_field_errors": ["Same subname and type as in position(s) 0, but must be unique."]} for _ in sets])
        for s in sets:
            self.replace(self.owner(s["subname"]), s.get("ttl"), [self.read(v) for v in s["records"]])
        return 200, [self.seen(self.owner(s["subname"])) for s in sets if s["records"]]
