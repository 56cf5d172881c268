"""Mythic Beasts: mythic-beasts.com/support/api/dnsv2 and its tutorial (HTTP's own log-in; records chosen by the path, or by host=, type= and data=), and answers of
the service in Lexicon's recorded tests: {"records_added"}, {"records_removed"}, 400 {"errors"} for a record that is there. No quotes and no backslash in a TXT:
what DNSControl's integration tests found. That a delete without a match answers 0, and which TTLs are taken, is assumed."""
from api import Api, is_text, read_raw, show_raw

import base64
import json


class MythicBeasts(Api):
    ttl_least = 60
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("GET", r"/dns/v2/zones/ZONE/records", "listing"), ("POST", r"/dns/v2/zones/ZONE/records", "create"),
              ("DELETE", r"/dns/v2/zones/ZONE/records/([^/]+)/TXT", "delete"))

    def fail(self, status, message):
        self.refuse(status, {"errors": [message]})

    def enter(self, request):
        if request.headers.get("Authorization") != "Basic " + base64.b64encode(b"abcd1234:secret-of-the-lab").decode():
            self.refuse(401, {"error": "Not authorised"})

    def missing(self, request):
        self.refuse(404, {"error": "Not found"})

    def carries(self, octets):
        return is_text(octets) and not set(b"\"\\") & set(octets)

    def listing(self, request):
        q = request.query
        rows = self.at(self.owner(q["host"]) if "host" in q else None, q.get("type"))
        return 200, {"records": [{"data": self.show(r.strings), "host": self.relative(r.owner, "@"), "ttl": r.ttl, "type": r.kind}
                                 for r in rows if q.get("data") in (None, self.show(r.strings))]}

    def create(self, request):
        added = []
        for r in json.loads(request.body)["records"]:
            owner, strings = self.owner(r["host"]), self.read(r["data"])
            if r["type"] != "TXT" or not r["data"] or not self.carries(r["data"].encode()) or not 60 <= r["ttl"]:
                self.fail(400, f"Invalid record '{r['host']}'")
            if self.alias(owner):
                self.fail(400, f"'{r['host']}' has a CNAME record")
            if any(other.strings == strings for other in self.at(owner)):
                self.fail(400, f"Duplicate record '{r['host']} {r['ttl']} TXT \"{r['data']}\"'")
            added.append((owner, r["ttl"], strings))
        for row in added:
            self.keep(*row)
        return 200, {"message": f"{len(added)} records added", "records_added": len(added)}

    def delete(self, request, host):
        gone = [r for r in self.at(self.owner(host)) if request.query.get("data") in (None, self.show(r.strings))]
        self.records = [r for r in self.records if r not in gone]
        return 200, {"records_removed": len(gone)}
