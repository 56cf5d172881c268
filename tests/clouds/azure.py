#!/usr/bin/python3 -B
"""Azure DNS 2018-05-01 as learn.microsoft.com describes it (record sets: get, create or update, delete; ETags), with Entra's token endpoint and the
instance metadata service. Values are arrays of strings. Switches: life (of a token, s)."""
import json
from urllib.parse import parse_qs, unquote

import cloud

BASE = "/subscriptions/sub/resourceGroups/dns/providers/Microsoft.Network/dnsZones/example.hk/"


def refuse(status, code, message):
    raise cloud.Answer(status, json.dumps({"error": {"code": code, "message": message}}))


class Azure(cloud.Cloud):
    def __init__(self):
        super().__init__()
        self.switch, self.tokens, self.count = {"life": 3600}, [], 0

    def command(self, c):
        if c["do"] == "put" and c["values"]:
            self.count += 1
            c = {**c, "etag": f"e-{self.count}"}
        return super().command(c)

    def token(self, life):
        self.tokens = [f"eyJ0.secret-{len(self.log)}"]
        return 200, json.dumps({"token_type": "Bearer", "expires_in": life, "access_token": self.tokens[0]}), {}

    def login(self, r):
        form = {k: v[0] for k, v in parse_qs(r.body.decode()).items()}
        if form.get("client_secret") != "s3cr3t &~+" or form["grant_type"] != "client_credentials" or not form["scope"].endswith("/.default"):
            raise cloud.Answer(401, json.dumps({"error": "invalid_client", "error_description": f"AADSTS7000215: Invalid client secret "
                                                                                               f"{form.get('client_secret')} provided."}))
        return self.token(self.switch["life"])

    def show(self, owner, kind):
        s = self.sets[owner, kind]
        rows = {"TXTRecords": [{"value": v} for v in s["values"]]} if kind == "TXT" else {"CNAMERecord": {"cname": s["values"][0]}}
        return json.dumps({"id": BASE + kind, "name": owner, "type": f"Microsoft.Network/dnszones/{kind}", "etag": s["etag"],
                           "properties": {"fqdn": owner + ".", "TTL": s["ttl"], "provisioningState": "Succeeded", "targetResource": {},
                                          **({"metadata": s["metadata"]} if s.get("metadata") else {}), **rows}})

    def record_set(self, r):
        kind, _, name = r.path[len(BASE):].partition("/")
        name = unquote(name)
        owner = self.zone if name == "@" else f"{name}.{self.zone}"
        had = self.sets.get((owner, kind))
        if r.method == "GET":
            if not had:
                refuse(404, "NotFound", f"The resource record '{name}' does not exist in resource group 'dns' of subscription 'sub'.")
            return 200, self.show(owner, kind), {}
        match, none = r.headers.get("If-Match"), r.headers.get("If-None-Match")
        if (match and (not had or had["etag"] != match)) or (none == "*" and had):
            refuse(412, "PreconditionFailed", f"The condition '{match or none}' in the If-Match header was not satisfied.")
        if r.method == "DELETE":
            self.sets.pop((owner, kind), None)
            return 200 if had else 204, "", {}
        properties = json.loads(r.body)["properties"]
        values = [v["value"] for v in properties["TXTRecords"]]
        if not values or any(len(x) > 255 for v in values for x in v):
            refuse(400, "BadRequest", "The value of the TXT record is too long.")
        self.count += 1
        self.sets[owner, kind] = {"ttl": properties["TTL"], "values": values, "metadata": properties.get("metadata"), "etag": f"e-{self.count}"}
        return 200 if had else 201, self.show(owner, kind), {}

    def answer(self, r):
        if r.path == "/tenant/oauth2/v2.0/token" and r.method == "POST":
            return self.login(r)
        if r.path == "/metadata/identity/oauth2/token" and r.headers.get("Metadata") == "true" and r.query.get("api-version") == "2018-02-01":
            return self.token(str(self.switch["life"]))
        if r.headers.get("Authorization") not in [f"Bearer {t}" for t in self.tokens]:
            refuse(401, "InvalidAuthenticationToken", "The access token is invalid.")
        if r.query.get("api-version") != "2018-05-01":
            refuse(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
        if not r.path.startswith(BASE):
            refuse(404, "ParentResourceNotFound", "Can not perform requested operation on nested resource. Parent resource not found.")
        return self.record_set(r)


cloud.serve(Azure())
