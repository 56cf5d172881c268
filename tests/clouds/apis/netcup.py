"""netcup: ccp.netcup.net/run/webservice/servers/endpoint.php and the help centre's API page (login, infoDnsRecords, updateDnsRecords; a record goes by its flag;
TTL is the zone's; every answer is HTTP 200 with status and statuscode), by way of DNSControl's and lego's clients; 5029 is an empty zone. TXT is raw."""
from api import Api, read_raw, show_raw

import json


class Netcup(Api):
    ZONE_TTL = 86400
    show, read = staticmethod(show_raw), staticmethod(read_raw)
    routes = (("POST", r"/run/webservice/servers/endpoint\.php", "call"),)

    def __init__(self, zone):
        super().__init__(zone)
        self.sessions = []

    def ttl(self, wanted):
        return self.ZONE_TTL

    def is_write(self, method, rest):
        return "updateDnsRecords" in rest

    def fail(self, code, message):
        self.refuse(200, {"serverrequestid": "s", "clientrequestid": "", "action": "", "status": "error", "statuscode": code, "shortmessage": message,
                          "longmessage": message, "responsedata": ""})

    @staticmethod
    def good(action, data):
        return 200, {"serverrequestid": "s", "clientrequestid": "", "action": action, "status": "success", "statuscode": 2000, "shortmessage": "ok",
                     "longmessage": "", "responsedata": data}

    def seen(self, r):
        return {"id": str(r.id), "hostname": self.relative(r.owner, "@"), "type": r.kind, "priority": "0", "destination": self.show(r.strings),
                "deleterecord": False, "state": "yes"}

    def call(self, request):
        body = json.loads(request.body)
        action, p = body["action"], body["param"]
        if p["customernumber"] != "12345" or p["apikey"] != "secret-of-the-lab":
            self.fail(4013, "Validation Error.")
        if action == "login":
            if p["apipassword"] != "secret-of-the-lab":
                self.fail(4013, "The login to the API failed.")
            self.sessions.append(f"session-{self.number()}")
            return self.good(action, {"apisessionid": self.sessions[-1]})
        if p["apisessionid"] not in self.sessions:
            self.fail(4001, "The session id is not in a valid format.")
        if p["domainname"] != self.zone:
            self.fail(4013, "Domain not found.")
        if action == "updateDnsRecords":
            for r in p["dnsrecordset"]["dnsrecords"]:
                self.update(r)
        if not self.records:
            self.fail(5029, "Can not get DNS records for zone. Zone is empty.")
        return self.good(action, {"dnsrecords": [self.seen(r) for r in self.records]})

    def update(self, r):
        owner, strings = self.owner(r["hostname"]), self.read(r["destination"])
        if r.get("deleterecord"):
            had = self.by_id(r["id"])
            if not had or (had.owner, had.strings) != (owner, strings):
                self.fail(4013, "Validation Error. Value in field id does not exist.")
            self.records.remove(had)
        elif r["type"] != "TXT" or not r["destination"] or self.alias(owner):
            self.fail(4013, "Validation Error. A CNAME exists.")
        else:
            self.keep(owner, self.ZONE_TTL, strings)
