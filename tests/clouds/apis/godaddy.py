"""GoDaddy: developer.godaddy.com/doc/endpoint/domains v1 (recordGet, recordReplaceTypeName, recordDeleteTypeName; INVALID_BODY with fields), by way of lego's
client and fixtures; TTL 600 and more, data of at most 512 characters: what users of the API report. TXT is raw."""
from api import Api, is_text, read_raw, show_raw

import json


class Godaddy(Api):
    ttl_least = 600
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("GET", r"/v1/domains/ZONE/records/TXT/([^/]+)", "one"), ("PUT", r"/v1/domains/ZONE/records/TXT/([^/]+)", "write"),
              ("DELETE", r"/v1/domains/ZONE/records/TXT/([^/]+)", "delete"))

    def enter(self, request):
        if request.headers.get("Authorization") != "sso-key key:secret-of-the-lab":
            self.refuse(401, {"code": "UNABLE_TO_AUTHENTICATE", "message": "Unauthorized : Could not authenticate API key/secret"})

    def missing(self, request):
        self.refuse(404, {"code": "NOT_FOUND", "message": "Not Found : Record not found"})

    def carries(self, octets):
        return is_text(octets) and len(octets) <= 512

    def one(self, request, name):
        return 200, [{"data": self.show(r.strings), "name": name, "ttl": r.ttl, "type": "TXT"} for r in self.at(self.owner(name))]

    def invalid(self, path, message):
        self.refuse(422, {"code": "INVALID_BODY", "message": "Request body doesn't fulfill schema, see details in `fields`",
                          "fields": [{"code": "UNKNOWN_RESTRICTION", "message": message, "path": path}]})

    def write(self, request, name):
        body = json.loads(request.body)
        if not body:
            self.invalid("records", "must have a minimum number of items of 1")
        for i, r in enumerate(body):
            if r.get("ttl", 3600) < 600:
                self.invalid(f"records[{i}].ttl", "must have a minimum value of 600")
            if not r["data"] or len(r["data"]) > 512:
                self.invalid(f"records[{i}].data", "must have a maximum length of 512")
        if len({r["data"] for r in body}) != len(body):
            self.refuse(422, {"code": "DUPLICATE_RECORD", "message": "Another record with the same attributes already exists"})
        if self.alias(self.owner(name)):
            self.refuse(422, {"code": "DUPLICATE_RECORD", "message": f"Record name [{name}] conflicts with another record (CNAME)"})
        self.replace(self.owner(name), body[0].get("ttl", 3600), [self.read(r["data"]) for r in body])
        return 200, None

    def delete(self, request, name):
        if not self.at(self.owner(name)):
            self.missing(request)
        self.replace(self.owner(name), 0, [])
        return 204, None
