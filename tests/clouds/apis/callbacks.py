"""Two small protocols whose servers write to a DNS of their own, here `dns`: update(lines for nsupdate) and view(), as somebody else in conform.py has them.
httpreq, go-acme.github.io/lego/dns/httpreq: POST /present and /cleanup with fqdn and value, HTTP's own log-in where there is one; any 2xx is success.
acme-dns, github.com/joohoi/acme-dns README: POST /update with X-Api-User and X-Api-Key; exactly 43 characters; two values, the older one goes."""
from api import Api, read_raw, show_quoted

import base64
import json
import re


class Httpreq(Api):
    routes = (("POST", r"/hook/(present)", "change"), ("POST", r"/hook/(cleanup)", "change"))

    def __init__(self, dns):
        super().__init__(dns.zone)
        self.dns = dns

    def enter(self, request):
        if request.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:secret-of-the-lab").decode():
            self.refuse(401, "Unauthorized")

    def change(self, request, what):
        body = json.loads(request.body)
        if set(body) != {"fqdn", "value"} or not body["fqdn"].endswith("."):
            self.refuse(400, "fqdn and value are wanted")
        text, there = show_quoted(read_raw(body["value"])), self.dns.view().get(body["fqdn"].rstrip("."))
        ttl = there[0] if there else 120  # another one would be the whole set's
        self.dns.update(f"update add {body['fqdn']} {ttl} TXT {text}" if what == "present" else f"update delete {body['fqdn']} TXT {text}")
        return 200, None


class AcmeDns(Api):
    routes = (("POST", r"/update", "change"),)
    SUBDOMAIN = "d420c923-bbd7-4056-ab64-c3ca54c9b3cf"

    def __init__(self, dns):
        super().__init__(dns.zone)
        self.dns, self.values = dns, []

    def change(self, request):
        body = json.loads(request.body)
        if (request.headers.get("X-Api-User"), request.headers.get("X-Api-Key")) != ("me", "secret-of-the-lab"):
            self.refuse(401, {"error": "forbidden"})
        if body["subdomain"] != self.SUBDOMAIN:
            self.refuse(400, {"error": "bad_subdomain"})
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", body["txt"]):
            self.refuse(400, {"error": "bad_txt"})
        self.values = (self.values + [body["txt"]])[-2:]
        owner = f"{self.SUBDOMAIN}.{self.zone}."
        self.dns.update(f"update delete {owner} TXT", *[f'update add {owner} 1 TXT "{v}"' for v in self.values])
        return 200, {"txt": body["txt"]}
