"""Technitium DNS Server: github.com/TechnitiumSoftware/DnsServer, APIDOCS.md (zones/records/add, get, delete; a form or a query; status "error" and errorMessage
with HTTP 200; get at the zone's own name shows the whole zone)."""
from api import Api, read_raw, show_raw

from urllib.parse import parse_qsl


class Technitium(Api):
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("POST", r"/api/zones/records/get", "get"), ("POST", r"/api/zones/records/add", "add"), ("POST", r"/api/zones/records/delete", "delete"))

    def fail(self, message, status="error"):
        self.refuse(200, {"status": status, "errorMessage": message, "stackTrace": "at DnsServerCore"})

    def enter(self, request):
        request.form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if request.form.get("token") != "secret-of-the-lab":
            self.fail("Invalid token or session expired.", "invalid-token")
        if request.form.get("zone", self.zone) != self.zone:
            self.fail(f"No such zone was found: {request.form['zone']}")

    def is_write(self, method, rest):
        return not rest.startswith("/api/zones/records/get")

    def seen(self, r):
        return {"disabled": False, "name": r.owner, "type": r.kind, "ttl": r.ttl, "dnssecStatus": "Unknown", "lastUsedOn": "0001-01-01T00:00:00",
                "rData": {"text": self.show(r.strings)} if r.kind == "TXT" else {"cname": "www"}}

    def reply(self, **fields):
        return 200, {"response": {"zone": {"name": self.zone, "type": "Primary", "internal": False, "disabled": False}, **fields}, "status": "ok"}

    def get(self, request):
        whole = request.form.get("listZone") == "true" or request.form["domain"] == self.zone
        return self.reply(records=[self.seen(r) for r in self.at(None if whole else request.form["domain"].lower(), None)])

    def add(self, request):
        f = request.form
        owner, strings = f["domain"].lower(), self.read(f["text"])
        if f["type"] != "TXT" or not f["text"]:
            self.fail("Parameter 'text' missing.")
        if self.alias(owner):
            self.fail(f"Cannot add record: a CNAME record already exists for '{owner}'")
        if any(r.strings == strings for r in self.at(owner)):
            self.fail("Cannot add record: record already exists.")
        return self.reply(addedRecord=self.seen(self.keep(owner, int(f.get("ttl", 3600)), strings)))

    def delete(self, request):
        f = request.form
        gone = [r for r in self.at(f["domain"].lower()) if self.show(r.strings) == f["text"]]
        if not gone:
            self.fail("Cannot delete record: no such record exists.")
        self.records.remove(gone[0])
        return 200, {"response": {}, "status": "ok"}
