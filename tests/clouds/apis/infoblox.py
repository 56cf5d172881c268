"""Infoblox NIOS: the WAPI documentation's object record:txt (search by name, zone and view; _return_fields; a positive _max_results makes more an error; POST
answers the reference as a JSON string), by way of infoblox-go-client; text with blanks in quotes, strings of 255 and 512 octets together: the vendor's
Terraform provider."""
from api import Api, split

import base64
import json
from urllib.parse import unquote


class Infoblox(Api):
    routes = (("GET", r"/wapi/v2\.12/record:txt", "search"), ("POST", r"/wapi/v2\.12/record:txt", "create"),
              ("DELETE", r"/wapi/v2\.12/(record:txt/.+)", "delete"))

    def fail(self, status, code, text):
        self.refuse(status, {"Error": f"AdmConDataError: None (IBDataError: {text})", "code": code, "text": text})

    def enter(self, request):
        if request.headers.get("Authorization") != "Basic " + base64.b64encode(b"dcvagent:secret-of-the-lab").decode():
            self.refuse(401, "<!DOCTYPE HTML><html><head><title>401 Authorization Required</title></head></html>", {"Content-Type": "text/html"})

    def missing(self, request):
        self.fail(404, "Client.Ibap.Data.NotFound", f"Reference {unquote(request.path)} not found")

    def carries(self, octets):
        return len(octets) <= 512

    def reference(self, r):
        return f"record:txt/{base64.b64encode(f'dns.bind_txt$._default.{r.id}'.encode()).decode()}:{r.owner}/default"

    def text(self, r):
        return r.strings[0].decode() if len(r.strings) == 1 and r.strings[0].isalnum() else self.show(r.strings)

    def search(self, request):
        q = request.query
        if q.get("view", "default") != "default":
            return 200, []
        wanted = q.get("_return_fields", "name,text,view").split(",")
        rows = [r for r in self.at(q.get("name")) if q.get("zone", self.zone) == self.zone]
        if len(rows) > int(q.get("_max_results", 1000)):
            self.fail(400, "Client.Ibap.Proto", "Result set too large")
        known = {"name": lambda r: r.owner, "text": self.text, "ttl": lambda r: r.ttl, "use_ttl": lambda r: True, "view": lambda r: "default"}
        return 200, [{"_ref": self.reference(r), **{f: known[f](r) for f in wanted}} for r in rows]

    def create(self, request):
        body = json.loads(request.body)
        owner, text = body["name"].lower(), body["text"]
        strings = self.read(text) if text.startswith('"') else split(text.encode()) if " " not in text else None
        if strings is None or sum(map(len, strings)) > 512 or not owner.endswith(self.zone) or not body.get("use_ttl") or body.get("view") != "default":
            self.fail(400, "Client.Ibap.Data", f"Invalid value for field text: {text[:40]}")
        if self.alias(owner) or any(r.strings == strings for r in self.at(owner)):
            self.fail(400, "Client.Ibap.Data.Conflict", f"The record '{owner}' already exists.")
        return 201, self.reference(self.keep(owner, body["ttl"], strings))

    def delete(self, request, reference):
        r = next((r for r in self.at() if self.reference(r) == reference), None)
        if not r:
            self.missing(request)
        self.records.remove(r)
        return 200, reference
